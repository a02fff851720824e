package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

type transactional struct {
	client *kgo.Client
	isOpen bool
}

var transactionals = map[string]*transactional{}

// The client asks for its producer id with the first transaction only: it is made to ask at once.
func openProducer(ctx context.Context, asked request) (answer, error) {
	client, err := connect(kgo.TransactionalID(asked.TransactionalID), kgo.RecordPartitioner(partitioner()))
	if err != nil {
		return nil, err
	}
	transactionals[asked.Producer] = &transactional{client: client}
	_, _, err = client.ProducerID(ctx)
	return nil, err
}

func transact(ctx context.Context, asked request) (answer, error) {
	producing := transactionals[asked.Producer]
	if !producing.isOpen {
		if err := producing.client.BeginTransaction(); err != nil {
			return nil, err
		}
		producing.isOpen = true
	}
	for _, wanted := range asked.Records {
		if err := producing.client.ProduceSync(ctx, recordOf(asked.Topic, wanted)).FirstErr(); err != nil {
			return nil, err
		}
	}
	if asked.End == "" {
		return nil, nil
	}
	producing.isOpen = false
	return nil, producing.client.EndTransaction(ctx, kgo.TransactionEndTry(asked.End == "commit"))
}

// With the client's own session, which goes back to what is committed when a transaction is aborted.
func copyRecords(ctx context.Context, asked request) (answer, error) {
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(bootstrap...),
		kgo.TransactionalID(asked.TransactionalID),
		kgo.ConsumerGroup(asked.Group),
		kgo.ConsumeTopics(asked.Source),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	last := ""
	for isFirst := true; last != asked.Until; isFirst = false {
		read := session.PollFetches(ctx).Records()
		if len(read) == 0 {
			continue
		}
		if err := session.Begin(); err != nil {
			return nil, err
		}
		sent := copyAll(ctx, session, read, asked.Target)
		isCommitted, err := session.End(ctx, kgo.TransactionEndTry(sent == nil && !isFirst))
		if err != nil {
			return nil, err
		}
		if isCommitted {
			last = string(read[len(read)-1].Value)
		}
	}
	return nil, nil
}

func copyAll(ctx context.Context, session *kgo.GroupTransactSession, read []*kgo.Record, target string) error {
	copies := make([]*kgo.Record, 0, len(read))
	for _, found := range read {
		copies = append(copies, &kgo.Record{Topic: target, Value: found.Value})
	}
	return session.ProduceSync(ctx, copies...).FirstErr()
}
