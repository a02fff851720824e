"""confluent-kafka for Python, on librdkafka, as Debian packages them."""

import confluent_kafka
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

import confluent_transactions
from lines import answer_lines, octets, text

common = {}
made = {}
open_transactions = set()


def once(name, make):
    if name not in made:
        made[name] = make()
    return made[name]


def admin():
    return once("admin", lambda: AdminClient(common))


def reader(isolation="read_uncommitted"):
    settings = {"group.id": "unused", "enable.auto.commit": False, "isolation.level": isolation}
    return once(("reader", isolation), lambda: Consumer({**common, **settings}))


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
    send(once(("producer", codec, acks, idempotent), lambda: Producer({**common, **settings})), topic, records)


def send(producer, topic, records):
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


def open_producer(producer, transactionalId):
    made[producer] = Producer({**common, "transactional.id": transactionalId})
    made[producer].init_transactions(30)


def transact(producer, topic, records, end):
    transactional = made[producer]
    if producer not in open_transactions:
        transactional.begin_transaction()
        open_transactions.add(producer)
    send(transactional, topic, records)
    if end is not None:
        open_transactions.remove(producer)
        (transactional.commit_transaction if end == "commit" else transactional.abort_transaction)(30)


def read(message):
    return {
        "offset": message.offset(),
        "timestamp": message.timestamp()[1],
        "key": text(message.key()),
        "value": text(message.value()),
        "headers": [[name, text(content)] for name, content in message.headers() or []],
    }


def consume(topic, partition, until, isolation, **start):
    begin = start["from"]
    if begin == "beginning":
        position = OFFSET_BEGINNING
    else:
        position = begin["offset"] if "offset" in begin else at_time(topic, partition, begin["timestamp"])
    consumer = reader(isolation)
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


def join(topic, group, clientId, strategy, sessionTimeoutMs, heartbeatMs):
    settings = {
        "group.id": group,
        "client.id": clientId,
        "partition.assignment.strategy": strategy,
        "session.timeout.ms": sessionTimeoutMs,
        "heartbeat.interval.ms": heartbeatMs,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
    made["member"] = Consumer({**common, **settings})
    made["member"].subscribe([topic])


def poll(waitMs):
    given = [message for message in made["member"].consume(500, waitMs / 1000) if message.error() is None]
    records = [
        {"partition": message.partition(), "offset": message.offset(), "value": text(message.value())}
        for message in given
    ]
    return {"partitions": sorted(place.partition for place in made["member"].assignment()), "records": records}


def commit():
    try:
        made["member"].commit(asynchronous=False)
    except KafkaException as error:
        if error.args[0].code() != KafkaError._NO_OFFSET:
            raise


def leave():
    made.pop("member").close()


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
        "join": join,
        "poll": poll,
        "commit": commit,
        "leave": leave,
        "openProducer": open_producer,
        "transact": transact,
        "copy": lambda **request: confluent_transactions.copy(common, **request),
    }
)
