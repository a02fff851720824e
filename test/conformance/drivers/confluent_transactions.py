"""Copies records in transactions of confluent-kafka, together with the offsets of the group that has read them."""

import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

SECONDS = 30


def copy(common, group, source, target, transactionalId, until):
    reading = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    consumer = Consumer({**common, **reading, "isolation.level": "read_committed"})
    producer = Producer({**common, "transactional.id": transactionalId})
    patiently(producer.init_transactions, SECONDS)
    consumer.subscribe([source])
    try:
        copy_first_in_vain(consumer, producer, target, until)
    finally:
        consumer.close()


def copy_first_in_vain(consumer, producer, target, until):
    is_first, last = True, None
    while last != until.encode():
        messages = [message for message in consumer.consume(50, 0.3) if message.error() is None]
        if not messages:
            continue
        if copied(messages, consumer, producer, target, is_first):
            last = messages[-1].value()
        is_first = False


def copied(messages, consumer, producer, target, in_vain):
    patiently(producer.begin_transaction)
    try:
        for message in messages:
            producer.produce(target, message.value(), partition=0)
        producer.flush(SECONDS)
        if not in_vain:
            positions = consumer.position(consumer.assignment())
            patiently(producer.send_offsets_to_transaction, positions, consumer.consumer_group_metadata(), SECONDS)
            patiently(producer.commit_transaction, SECONDS)
            return True
    except KafkaException as error:
        if error.args[0].fatal():
            raise
    patiently(producer.abort_transaction, SECONDS)
    for at in patiently(consumer.committed, consumer.assignment(), SECONDS):
        consumer.seek(TopicPartition(at.topic, at.partition, max(at.offset, 0)))
    return False


def patiently(call, *arguments):
    while True:
        try:
            return call(*arguments)
        except KafkaException as error:
            if not error.args[0].retriable() or error.args[0].txn_requires_abort():
                raise
            time.sleep(0.1)
