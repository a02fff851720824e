// franz-go; commands as lines of JSON on the standard streams, see ../../matrix/foreign-client.ts.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

type record struct {
	Key       *string     `json:"key"`
	Value     string      `json:"value"`
	Partition *int32      `json:"partition"`
	Headers   [][2]string `json:"headers"`
	Timestamp *int64      `json:"timestamp"`
}

type request struct {
	ID                int
	Command           string
	Bootstrap         string
	Topic             string
	Partition         int32
	Codec             string
	Acks              int
	Idempotent        bool
	Records           []record
	From              json.RawMessage
	At                json.RawMessage
	Until             string
	Partitions        int32
	ReplicationFactor int16
	Configs           map[string]string
	Count             int
	Names             []string
	Group             string
	ClientID          string
	Strategy          string
	SessionTimeoutMs  int
	HeartbeatMs       int
	WaitMs            int
	Isolation         string
	Producer          string
	TransactionalID   string
	End               string
	Source            string
	Target            string
}

type answer map[string]any

var (
	bootstrap []string
	admin     *kadm.Client
	producers = map[string]*kgo.Client{}
)

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

var acks = map[int]kgo.Acks{0: kgo.NoAck(), 1: kgo.LeaderAck(), -1: kgo.AllISRAcks()}

var isolations = map[string]kgo.IsolationLevel{
	"read_uncommitted": kgo.ReadUncommitted(),
	"read_committed":   kgo.ReadCommitted(),
}

var handlers = map[string]func(context.Context, request) (answer, error){
	"hello":            hello,
	"produce":          produce,
	"consume":          consume,
	"offset":           offset,
	"createTopic":      createTopic,
	"listTopics":       listTopics,
	"describeTopic":    describeTopic,
	"createPartitions": createPartitions,
	"alterConfig":      alterConfig,
	"describeConfig":   describeConfig,
	"deleteTopic":      deleteTopic,
	"join":             join,
	"poll":             poll,
	"commit":           commit,
	"leave":            leave,
	"openProducer":     openProducer,
	"transact":         transact,
	"copy":             copyRecords,
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		found, err := handlers[asked.Command](context.Background(), asked)
		if err != nil {
			found = answer{"error": err.Error()}
		}
		if found == nil {
			found = answer{}
		}
		found["id"] = asked.ID
		if err := out.Encode(found); err != nil {
			panic(err)
		}
	}
}

func hello(_ context.Context, asked request) (answer, error) {
	bootstrap = strings.Split(asked.Bootstrap, ",")
	client, err := connect()
	if err != nil {
		return nil, err
	}
	admin = kadm.NewClient(client)
	return answer{"version": libraryVersion()}, nil
}

func connect(options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(bootstrap...)}, options...)...)
}

func libraryVersion() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/twmb/franz-go" {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return "unknown"
}

// Records that name a partition go there, others where the client's usual partitioner puts them.
func partitioner() kgo.Partitioner {
	usual := kgo.StickyKeyPartitioner(nil)
	return kgo.BasicConsistentPartitioner(func(topic string) func(*kgo.Record, int) int {
		forTopic := usual.ForTopic(topic)
		return func(sent *kgo.Record, partitions int) int {
			if sent.Partition >= 0 {
				return int(sent.Partition)
			}
			return forTopic.Partition(sent, partitions)
		}
	})
}

func producer(asked request) (*kgo.Client, error) {
	name := fmt.Sprint(asked.Codec, asked.Acks, asked.Idempotent)
	if found, ok := producers[name]; ok {
		return found, nil
	}
	options := []kgo.Opt{
		kgo.ProducerBatchCompression(codecs[asked.Codec]),
		kgo.RequiredAcks(acks[asked.Acks]),
		kgo.RecordPartitioner(partitioner()),
		kgo.ProducerLinger(20 * time.Millisecond),
		kgo.AllowAutoTopicCreation(),
	}
	if !asked.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	made, err := connect(options...)
	producers[name] = made
	return made, err
}

func produce(ctx context.Context, asked request) (answer, error) {
	client, err := producer(asked)
	if err != nil {
		return nil, err
	}
	sent := make([]*kgo.Record, 0, len(asked.Records))
	for _, wanted := range asked.Records {
		sent = append(sent, recordOf(asked.Topic, wanted))
	}
	return nil, client.ProduceSync(ctx, sent...).FirstErr()
}

func recordOf(topic string, wanted record) *kgo.Record {
	made := &kgo.Record{Topic: topic, Value: []byte(wanted.Value), Partition: -1}
	if wanted.Key != nil {
		made.Key = []byte(*wanted.Key)
	}
	if wanted.Partition != nil {
		made.Partition = *wanted.Partition
	}
	if wanted.Timestamp != nil {
		made.Timestamp = time.UnixMilli(*wanted.Timestamp)
	}
	for _, header := range wanted.Headers {
		made.Headers = append(made.Headers, kgo.RecordHeader{Key: header[0], Value: []byte(header[1])})
	}
	return made
}

func startOf(from json.RawMessage) kgo.Offset {
	var place struct{ Offset, Timestamp *int64 }
	if json.Unmarshal(from, &place) != nil {
		return kgo.NewOffset().AtStart()
	}
	if place.Offset != nil {
		return kgo.NewOffset().At(*place.Offset)
	}
	return kgo.NewOffset().AfterMilli(*place.Timestamp)
}

func consume(ctx context.Context, asked request) (answer, error) {
	places := map[string]map[int32]kgo.Offset{asked.Topic: {asked.Partition: startOf(asked.From)}}
	client, err := connect(kgo.ConsumePartitions(places), kgo.FetchIsolationLevel(isolations[asked.Isolation]))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var records []readRecord
	for {
		for _, found := range client.PollFetches(ctx).Records() {
			records = append(records, read(found))
			if string(found.Value) == asked.Until {
				return answer{"records": records}, nil
			}
		}
	}
}

// What is read has an offset, and its partition is known.
type readRecord struct {
	Offset    int64       `json:"offset"`
	Timestamp int64       `json:"timestamp"`
	Key       *string     `json:"key"`
	Value     string      `json:"value"`
	Headers   [][2]string `json:"headers"`
}

func read(found *kgo.Record) readRecord {
	headers := [][2]string{}
	for _, header := range found.Headers {
		headers = append(headers, [2]string{header.Key, string(header.Value)})
	}
	made := readRecord{Offset: found.Offset, Timestamp: found.Timestamp.UnixMilli(), Value: string(found.Value), Headers: headers}
	if found.Key != nil {
		key := string(found.Key)
		made.Key = &key
	}
	return made
}

func offset(ctx context.Context, asked request) (answer, error) {
	var millis int64
	var listed kadm.ListedOffsets
	var err error
	switch string(asked.At) {
	case `"earliest"`:
		listed, err = admin.ListStartOffsets(ctx, asked.Topic)
	case `"latest"`:
		listed, err = admin.ListEndOffsets(ctx, asked.Topic)
	default:
		if err = json.Unmarshal(asked.At, &millis); err == nil {
			listed, err = admin.ListOffsetsAfterMilli(ctx, millis, asked.Topic)
		}
	}
	if err != nil {
		return nil, err
	}
	found, _ := listed.Lookup(asked.Topic, asked.Partition)
	return answer{"offset": found.Offset}, found.Err
}

func createTopic(ctx context.Context, asked request) (answer, error) {
	configs := map[string]*string{}
	for name, value := range asked.Configs {
		configs[name] = kadm.StringPtr(value)
	}
	_, err := admin.CreateTopic(ctx, asked.Partitions, asked.ReplicationFactor, configs, asked.Topic)
	return nil, err
}

func listTopics(ctx context.Context, _ request) (answer, error) {
	listed, err := admin.ListTopics(ctx)
	return answer{"topics": listed.Names()}, err
}

func describeTopic(ctx context.Context, asked request) (answer, error) {
	listed, err := admin.ListTopics(ctx, asked.Topic)
	if err != nil {
		return nil, err
	}
	partitions := []answer{}
	for _, found := range listed[asked.Topic].Partitions.Sorted() {
		partitions = append(partitions, answer{"partition": found.Partition, "leader": found.Leader, "replicas": found.Replicas})
	}
	return answer{"partitions": partitions}, nil
}

func createPartitions(ctx context.Context, asked request) (answer, error) {
	grown, err := admin.UpdatePartitions(ctx, asked.Count, asked.Topic)
	if err != nil {
		return nil, err
	}
	return nil, grown.Error()
}

func alterConfig(ctx context.Context, asked request) (answer, error) {
	changes := []kadm.AlterConfig{}
	for name, value := range asked.Configs {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: kadm.StringPtr(value)})
	}
	altered, err := admin.AlterTopicConfigs(ctx, changes, asked.Topic)
	if err != nil {
		return nil, err
	}
	changed, err := altered.On(asked.Topic, nil)
	if err == nil && changed.Err != nil {
		return nil, fmt.Errorf("%w: %s", changed.Err, changed.ErrMessage)
	}
	return nil, err
}

func describeConfig(ctx context.Context, asked request) (answer, error) {
	described, err := admin.DescribeTopicConfigs(ctx, asked.Topic)
	if err != nil {
		return nil, err
	}
	found, err := described.On(asked.Topic, nil)
	configs := map[string]string{}
	for _, config := range found.Configs {
		configs[config.Key] = config.MaybeValue()
	}
	return answer{"configs": configs}, errors.Join(err, found.Err)
}

func deleteTopic(ctx context.Context, asked request) (answer, error) {
	_, err := admin.DeleteTopic(ctx, asked.Topic)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, fmt.Errorf("no topic %s", asked.Topic)
	}
	return nil, err
}
