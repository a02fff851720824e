"""Copies a topic to another one exactly once, in transactions of confluent-kafka for Python (librdkafka).

Arguments: bootstrap servers, source, target, number of records in the source. Ends when all of them are copied; a fatal
error ends it with exit code 3, and whoever started it starts it again.
"""

import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

BOOTSTRAP, SOURCE, TARGET, COUNT = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
SECONDS = 20

consumer = Consumer({
    "bootstrap.servers": BOOTSTRAP,
    "group.id": "copiers",
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "isolation.level": "read_committed",
    "session.timeout.ms": 6000,
    "topic.metadata.refresh.interval.ms": 1000,
})
producer = Producer({
    "bootstrap.servers": BOOTSTRAP,
    "transactional.id": "copier",
    "transaction.timeout.ms": 10000,
    "linger.ms": 5,
    "topic.metadata.refresh.interval.ms": 1000,
})


def patiently(call, *arguments):
    while True:
        try:
            return call(*arguments)
        except KafkaException as error:
            print(f"{call.__name__}: {error}", file=sys.stderr, flush=True)
            if error.args[0].fatal():
                sys.exit(3)
            if not error.args[0].retriable() or error.args[0].txn_requires_abort():
                raise
            time.sleep(0.1)


def committed():
    return patiently(consumer.committed, consumer.assignment(), SECONDS)


def rewind():
    for at in committed():
        consumer.seek(TopicPartition(at.topic, at.partition, max(at.offset, 0)))


def copy(messages):
    try:
        for message in messages:
            producer.produce(TARGET, message.value(), partition=message.partition())
        positions = [at for at in consumer.position(consumer.assignment()) if at.offset >= 0]
        patiently(producer.send_offsets_to_transaction, positions, consumer.consumer_group_metadata(), SECONDS)
        patiently(producer.commit_transaction, SECONDS)
    except KafkaException:
        patiently(producer.abort_transaction, SECONDS)
        rewind()


patiently(producer.init_transactions, SECONDS)
consumer.subscribe([SOURCE])
while True:
    messages = [message for message in consumer.consume(20, 1.0) if message.error() is None]
    if messages:
        patiently(producer.begin_transaction)
        copy(messages)
        print(f"copied up to {messages[-1].offset()}", flush=True)
    elif consumer.assignment() and sum(max(at.offset, 0) for at in committed()) == COUNT:
        break
consumer.close()
