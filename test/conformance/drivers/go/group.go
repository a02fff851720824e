package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var balancers = map[string]kgo.GroupBalancer{
	"range":              kgo.RangeBalancer(),
	"roundrobin":         kgo.RoundRobinBalancer(),
	"cooperative-sticky": kgo.CooperativeStickyBalancer(),
}

// What the member believes to be its own, which the client tells from goroutines of its own.
var (
	member  *kgo.Client
	lock    sync.Mutex
	holding map[int32]bool
)

func holds(isMine bool) func(context.Context, *kgo.Client, map[string][]int32) {
	return func(_ context.Context, _ *kgo.Client, changed map[string][]int32) {
		lock.Lock()
		defer lock.Unlock()
		for _, partitions := range changed {
			for _, partition := range partitions {
				if isMine {
					holding[partition] = true
				} else {
					delete(holding, partition)
				}
			}
		}
	}
}

// No rebalance happens between a poll and the next one, so that what was given can be committed.
func join(_ context.Context, asked request) (answer, error) {
	holding = map[int32]bool{}
	var err error
	member, err = connect(
		kgo.ClientID(asked.ClientID),
		kgo.ConsumerGroup(asked.Group),
		kgo.ConsumeTopics(asked.Topic),
		kgo.Balancers(balancers[asked.Strategy]),
		kgo.SessionTimeout(time.Duration(asked.SessionTimeoutMs)*time.Millisecond),
		kgo.HeartbeatInterval(time.Duration(asked.HeartbeatMs)*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(holds(true)),
		kgo.OnPartitionsRevoked(holds(false)),
		kgo.OnPartitionsLost(holds(false)),
	)
	return nil, err
}

type groupRecord struct {
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Value     string `json:"value"`
}

func poll(ctx context.Context, asked request) (answer, error) {
	member.AllowRebalance()
	waiting, cancel := context.WithTimeout(ctx, time.Duration(asked.WaitMs)*time.Millisecond)
	defer cancel()
	records := []groupRecord{}
	for _, found := range member.PollFetches(waiting).Records() {
		records = append(records, groupRecord{found.Partition, found.Offset, string(found.Value)})
	}
	lock.Lock()
	defer lock.Unlock()
	partitions := []int32{}
	for partition := range holding {
		partitions = append(partitions, partition)
	}
	slices.Sort(partitions)
	return answer{"partitions": partitions, "records": records}, nil
}

func commit(ctx context.Context, _ request) (answer, error) {
	return nil, member.CommitUncommittedOffsets(ctx)
}

func leave(_ context.Context, _ request) (answer, error) {
	member.CloseAllowingRebalance()
	return nil, nil
}
