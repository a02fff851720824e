"""confluent-kafka for Python, on librdkafka, as Debian packages them."""

import confluent_kafka
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from lines import answer_lines, octets, text

common = {}
made = {}


def once(name, make):
    if name not in made:
        made[name] = make()
    return made[name]


def admin():
    return once("admin", lambda: AdminClient(common))


def reader():
    return once("reader", lambda: Consumer({**common, "group.id": "unused", "enable.auto.commit": False}))


def done(futures):
    for future in futures.values():
        future.result(60)


def hello(bootstrap):
    common["bootstrap.servers"] = bootstrap
    common["topic.metadata.refresh.interval.ms"] = 5000
    library, _ = confluent_kafka.libversion()
    return {"version": f"{confluent_kafka.version()[0]} (librdkafka {library})"}


def produce(topic, codec, acks, idempotent, records):
    settings = {"compression.type": codec, "acks": acks, "enable.idempotence": idempotent, "linger.ms": 20}
    producer = once(("producer", codec, acks, idempotent), lambda: Producer({**common, **settings}))
    failed = []

    def delivered(error, _message):
        if error is not None:
            failed.append(error)

    for record in records:
        optional = {"partition": record["partition"], "timestamp": record["timestamp"]}
        producer.produce(
            topic,
            value=octets(record["value"]),
            key=octets(record["key"]),
            headers=[(name, octets(content)) for name, content in record["headers"]],
            on_delivery=delivered,
            **{name: value for name, value in optional.items() if value is not None},
        )
    producer.flush(60)
    if failed:
        raise failed[0] if isinstance(failed[0], Exception) else RuntimeError(failed[0].str())


def read(message):
    return {
        "offset": message.offset(),
        "timestamp": message.timestamp()[1],
        "key": text(message.key()),
        "value": text(message.value()),
        "headers": [[name, text(content)] for name, content in message.headers() or []],
    }


def consume(topic, partition, until, **start):
    begin = start["from"]
    if begin == "beginning":
        position = OFFSET_BEGINNING
    else:
        position = begin["offset"] if "offset" in begin else at_time(topic, partition, begin["timestamp"])
    consumer = reader()
    consumer.assign([TopicPartition(topic, partition, position)])
    records = []
    while True:
        message = consumer.poll(1)
        if message is None or message.error() is not None:
            continue
        records.append(read(message))
        if records[-1]["value"] == until:
            consumer.unassign()
            return {"records": records}


def at_time(topic, partition, timestamp):
    [found] = reader().offsets_for_times([TopicPartition(topic, partition, timestamp)], 30)
    return found.offset


def offset(topic, partition, at):
    if not isinstance(at, str):
        return {"offset": at_time(topic, partition, at)}
    low, high = reader().get_watermark_offsets(TopicPartition(topic, partition), 30)
    return {"offset": low if at == "earliest" else high}


def create_topic(topic, partitions, replicationFactor, configs):
    done(admin().create_topics([NewTopic(topic, partitions, replicationFactor, config=configs)]))


def describe_topic(topic):
    found = admin().list_topics(topic, 30).topics[topic].partitions.values()
    partitions = [{"partition": entry.id, "leader": entry.leader, "replicas": entry.replicas} for entry in found]
    return {"partitions": sorted(partitions, key=lambda entry: entry["partition"])}


def describe_config(topic, names):
    [found] = admin().describe_configs([ConfigResource("topic", topic)]).values()
    entries = found.result(30)
    return {"configs": {name: entries[name].value for name in names}}


answer_lines(
    {
        "hello": hello,
        "produce": produce,
        "consume": consume,
        "offset": offset,
        "createTopic": create_topic,
        "listTopics": lambda: {"topics": list(admin().list_topics(timeout=30).topics)},
        "describeTopic": describe_topic,
        "createPartitions": lambda topic, count: done(admin().create_partitions([NewPartitions(topic, count)])),
        "alterConfig": lambda topic, configs: done(admin().alter_configs([ConfigResource("topic", topic, configs)])),
        "describeConfig": describe_config,
        "deleteTopic": lambda topic: done(admin().delete_topics([topic])),
    }
)
