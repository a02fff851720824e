import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** Apache Kafka's own client; commands as lines of JSON on the standard streams, see ../../matrix/foreign-client.ts. */
public class Driver {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, String> ASSIGNORS = Map.of(
      "range", RangeAssignor.class.getName(),
      "roundrobin", RoundRobinAssignor.class.getName(),
      "cooperative-sticky", CooperativeStickyAssignor.class.getName());

  private final Map<String, KafkaProducer<String, String>> producers = new HashMap<>();
  private String bootstrap;
  private Admin admin;
  private Transactions transactions;
  private KafkaConsumer<String, String> consumer;
  private KafkaConsumer<String, String> committedConsumer;
  private KafkaConsumer<String, String> member;

  public static void main(String[] args) throws Exception {
    Driver driver = new Driver();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    PrintStream out = new PrintStream(System.out, true, "UTF-8");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode request = JSON.readTree(line);
      ObjectNode answer = JSON.createObjectNode();
      answer.set("id", request.get("id"));
      try {
        driver.answer(request.get("command").asText(), request, answer);
      } catch (Exception error) {
        answer.put("error", String.valueOf(error.getCause() == null ? error : error.getCause()));
      }
      out.println(JSON.writeValueAsString(answer));
    }
  }

  private void answer(String command, JsonNode request, ObjectNode answer) throws Exception {
    switch (command) {
      case "hello" -> hello(request, answer);
      case "produce" -> produce(request);
      case "consume" -> consume(request, answer);
      case "offset" -> answer.put("offset", offset(placeOf(request), request.get("at")));
      case "createTopic" -> createTopic(request);
      case "listTopics" -> get(admin.listTopics().names()).forEach(answer.putArray("topics")::add);
      case "describeTopic" -> describeTopic(request, answer);
      case "createPartitions" -> get(admin
          .createPartitions(Map.of(topicOf(request), NewPartitions.increaseTo(request.get("count").asInt())))
          .all());
      case "alterConfig" -> alterConfig(request);
      case "describeConfig" -> describeConfig(request, answer);
      case "join" -> join(request);
      case "poll" -> poll(request, answer);
      case "commit" -> member.commitSync(Duration.ofSeconds(10));
      case "leave" -> member.close(Duration.ofSeconds(10));
      case "openProducer" -> transactions.openProducer(request);
      case "transact" -> transactions.transact(request);
      case "copy" -> transactions.copy(request);
      case "deleteTopic" -> get(admin.deleteTopics(List.of(topicOf(request))).all());
      default -> throw new IllegalArgumentException(command);
    }
  }

  private void hello(JsonNode request, ObjectNode answer) {
    bootstrap = request.get("bootstrap").asText();
    admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    transactions = new Transactions(bootstrap);
    consumer = reader("read_uncommitted");
    committedConsumer = reader("read_committed");
    answer.put("version", AppInfoParser.getVersion());
  }

  private KafkaConsumer<String, String> reader(String isolation) {
    Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap, "isolation.level", isolation);
    return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
  }

  private void produce(JsonNode request) throws Exception {
    Map<String, Object> settings = Map.of(
        "bootstrap.servers", bootstrap,
        "compression.type", request.get("codec").asText(),
        "acks", request.get("acks").asText(),
        "enable.idempotence", request.get("idempotent").asBoolean(),
        "linger.ms", 20);
    KafkaProducer<String, String> producer = producers.computeIfAbsent(
        settings.toString(), name -> new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer()));
    List<Future<?>> sent = new ArrayList<>();
    for (JsonNode record : request.get("records")) sent.add(producer.send(recordOf(topicOf(request), record)));
    producer.flush();
    for (Future<?> future : sent) get(future);
  }

  static ProducerRecord<String, String> recordOf(String topic, JsonNode json) throws Exception {
    Integer partition = json.get("partition").isNull() ? null : json.get("partition").asInt();
    Long timestamp = json.get("timestamp").isNull() ? null : json.get("timestamp").asLong();
    String key = json.get("key").isNull() ? null : json.get("key").asText();
    ProducerRecord<String, String> record =
        new ProducerRecord<>(topic, partition, timestamp, key, json.get("value").asText());
    for (JsonNode header : json.get("headers")) {
      record.headers().add(header.get(0).asText(), header.get(1).asText().getBytes("UTF-8"));
    }
    return record;
  }

  private void consume(JsonNode request, ObjectNode answer) throws Exception {
    TopicPartition place = placeOf(request);
    JsonNode from = request.get("from");
    var reader = request.get("isolation").asText().equals("read_committed") ? committedConsumer : consumer;
    reader.assign(List.of(place));
    if (from.isTextual()) reader.seekToBeginning(List.of(place));
    else reader.seek(place, from.has("offset") ? from.get("offset").asLong() : offset(place, from.get("timestamp")));
    ArrayNode records = answer.putArray("records");
    while (true) {
      for (ConsumerRecord<String, String> record : reader.poll(Duration.ofSeconds(1))) {
        describe(record, records.addObject());
        if (record.value().equals(request.get("until").asText())) return;
      }
    }
  }

  private void join(JsonNode request) {
    Map<String, Object> settings = Map.of(
        "bootstrap.servers", bootstrap,
        "group.id", request.get("group").asText(),
        "client.id", request.get("clientId").asText(),
        "partition.assignment.strategy", ASSIGNORS.get(request.get("strategy").asText()),
        "session.timeout.ms", request.get("sessionTimeoutMs").asInt(),
        "heartbeat.interval.ms", request.get("heartbeatMs").asInt(),
        "auto.offset.reset", "earliest",
        "enable.auto.commit", false);
    member = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    member.subscribe(List.of(topicOf(request)));
  }

  private void poll(JsonNode request, ObjectNode answer) {
    var given = member.poll(Duration.ofMillis(request.get("waitMs").asInt()));
    ArrayNode partitions = answer.putArray("partitions");
    member.assignment().stream().map(TopicPartition::partition).sorted().forEach(partitions::add);
    ArrayNode records = answer.putArray("records");
    for (ConsumerRecord<String, String> record : given) {
      records.addObject()
          .put("partition", record.partition())
          .put("offset", record.offset())
          .put("value", record.value());
    }
  }

  private static void describe(ConsumerRecord<String, String> record, ObjectNode json) throws Exception {
    json.put("offset", record.offset());
    json.put("timestamp", record.timestamp());
    json.put("key", record.key());
    json.put("value", record.value());
    ArrayNode headers = json.putArray("headers");
    for (Header header : record.headers()) {
      headers.addArray().add(header.key()).add(new String(header.value(), "UTF-8"));
    }
  }

  private long offset(TopicPartition place, JsonNode at) {
    return switch (at.asText()) {
      case "earliest" -> consumer.beginningOffsets(List.of(place)).get(place);
      case "latest" -> consumer.endOffsets(List.of(place)).get(place);
      default -> consumer.offsetsForTimes(Map.of(place, at.asLong())).get(place).offset();
    };
  }

  private void createTopic(JsonNode request) throws Exception {
    NewTopic topic = new NewTopic(
        topicOf(request),
        Optional.of(request.get("partitions").asInt()),
        Optional.of((short) request.get("replicationFactor").asInt()));
    get(admin.createTopics(List.of(topic.configs(configsOf(request)))).all());
  }

  private void describeTopic(JsonNode request, ObjectNode answer) throws Exception {
    String topic = topicOf(request);
    ArrayNode partitions = answer.putArray("partitions");
    for (TopicPartitionInfo info : get(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic).partitions()) {
      ObjectNode partition = partitions.addObject().put("partition", info.partition()).put("leader", info.leader().id());
      ArrayNode replicas = partition.putArray("replicas");
      for (Node replica : info.replicas()) replicas.add(replica.id());
    }
  }

  private void alterConfig(JsonNode request) throws Exception {
    List<AlterConfigOp> changes = new ArrayList<>();
    configsOf(request).forEach((name, value) ->
        changes.add(new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET)));
    get(admin.incrementalAlterConfigs(Map.of(resourceOf(request), changes)).all());
  }

  private void describeConfig(JsonNode request, ObjectNode answer) throws Exception {
    ObjectNode configs = answer.putObject("configs");
    var found = get(admin.describeConfigs(List.of(resourceOf(request))).all()).get(resourceOf(request));
    for (JsonNode name : request.get("names")) configs.put(name.asText(), found.get(name.asText()).value());
  }

  private static Map<String, String> configsOf(JsonNode request) {
    Map<String, String> configs = new HashMap<>();
    request.get("configs").fields().forEachRemaining(entry -> configs.put(entry.getKey(), entry.getValue().asText()));
    return configs;
  }

  private static ConfigResource resourceOf(JsonNode request) {
    return new ConfigResource(ConfigResource.Type.TOPIC, topicOf(request));
  }

  private static String topicOf(JsonNode request) {
    return request.get("topic").asText();
  }

  private static TopicPartition placeOf(JsonNode request) {
    return new TopicPartition(topicOf(request), request.get("partition").asInt());
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.get(60, TimeUnit.SECONDS);
  }
}
