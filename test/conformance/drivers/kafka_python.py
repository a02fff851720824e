"""kafka-python, as Debian packages it."""

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from lines import answer_lines, octets, text

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor}

common = {}
made = {}


def once(name, make):
    if name not in made:
        made[name] = make()
    return made[name]


def admin():
    return once("admin", lambda: KafkaAdminClient(**common))


def reader():
    return once("reader", lambda: KafkaConsumer(**common, consumer_timeout_ms=1000))


def hello(bootstrap):
    common["bootstrap_servers"] = bootstrap.split(",")
    return {"version": kafka.__version__}


def produce(topic, codec, acks, idempotent, records):
    def make():
        codec_name = None if codec == "none" else codec
        return KafkaProducer(
            **common, compression_type=codec_name, acks="all" if acks == -1 else acks, retries=100, linger_ms=20
        )

    producer = once(("producer", codec, acks), make)
    sent = [
        producer.send(
            topic,
            value=octets(record["value"]),
            key=octets(record["key"]),
            headers=[(name, octets(content)) for name, content in record["headers"]],
            partition=record["partition"],
            timestamp_ms=record["timestamp"],
        )
        for record in records
    ]
    producer.flush()
    for future in sent:
        future.get(60)


def read(message):
    return {
        "offset": message.offset,
        "timestamp": message.timestamp,
        "key": text(message.key),
        "value": text(message.value),
        "headers": [[name, text(content)] for name, content in message.headers],
    }


def consume(topic, partition, until, **start):
    place = TopicPartition(topic, partition)
    consumer = reader()
    consumer.assign([place])
    begin = start["from"]
    if begin == "beginning":
        consumer.seek_to_beginning(place)
    else:
        consumer.seek(place, begin["offset"] if "offset" in begin else at_time(place, begin["timestamp"]))
    records = []
    while True:
        for message in consumer:
            records.append(read(message))
            if records[-1]["value"] == until:
                return {"records": records}


def at_time(place, timestamp):
    return reader().offsets_for_times({place: timestamp})[place].offset


def offset(topic, partition, at):
    place = TopicPartition(topic, partition)
    if at == "earliest":
        return {"offset": reader().beginning_offsets([place])[place]}
    if at == "latest":
        return {"offset": reader().end_offsets([place])[place]}
    return {"offset": at_time(place, at)}


def create_topic(topic, partitions, replicationFactor, configs):
    admin().create_topics([NewTopic(topic, partitions, replicationFactor, topic_configs=configs)])


def describe_topic(topic):
    [found] = admin().describe_topics([topic])
    partitions = [{key: entry[key] for key in ("partition", "leader", "replicas")} for entry in found["partitions"]]
    return {"partitions": sorted(partitions, key=lambda entry: entry["partition"])}


def resource(topic, configs):
    return ConfigResource(ConfigResourceType.TOPIC, topic, configs)


def alter_config(topic, configs):
    for code, message, *_ in admin().alter_configs([resource(topic, configs)]).resources:
        if code != 0:
            raise RuntimeError(message)


def describe_config(topic, names):
    [answer] = admin().describe_configs([resource(topic, dict.fromkeys(names))])
    return {"configs": {entry[0]: entry[1] for entry in answer.resources[0][4]}}


def join(topic, group, clientId, strategy, sessionTimeoutMs, heartbeatMs):
    made["member"] = KafkaConsumer(
        **common,
        client_id=clientId,
        group_id=group,
        partition_assignment_strategy=[ASSIGNORS[strategy]],
        session_timeout_ms=sessionTimeoutMs,
        heartbeat_interval_ms=heartbeatMs,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    made["member"].subscribe([topic])


def poll(waitMs):
    given = [message for messages in made["member"].poll(waitMs).values() for message in messages]
    records = [
        {"partition": message.partition, "offset": message.offset, "value": text(message.value)} for message in given
    ]
    return {"partitions": sorted(place.partition for place in made["member"].assignment()), "records": records}


def leave():
    made.pop("member").close(autocommit=False)


answer_lines(
    {
        "hello": hello,
        "produce": produce,
        "consume": consume,
        "offset": offset,
        "createTopic": create_topic,
        "listTopics": lambda: {"topics": admin().list_topics()},
        "describeTopic": describe_topic,
        "createPartitions": lambda topic, count: admin().create_partitions({topic: NewPartitions(count)}) and None,
        "alterConfig": alter_config,
        "describeConfig": describe_config,
        "deleteTopic": lambda topic: admin().delete_topics([topic]) and None,
        "join": join,
        "poll": poll,
        "commit": lambda: made["member"].commit(),
        "leave": leave,
    }
)
