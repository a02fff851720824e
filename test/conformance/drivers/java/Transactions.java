import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Transactional producers by their names, and the copying of records in transactions. */
class Transactions {
  private final String bootstrap;
  private final Map<String, KafkaProducer<String, String>> producers = new HashMap<>();
  private final Set<String> open = new HashSet<>();

  Transactions(String bootstrap) {
    this.bootstrap = bootstrap;
  }

  void openProducer(JsonNode request) {
    producers.put(request.get("producer").asText(), initialized(request));
  }

  private KafkaProducer<String, String> initialized(JsonNode request) {
    Map<String, Object> settings = Map.of(
        "bootstrap.servers", bootstrap,
        "transactional.id", request.get("transactionalId").asText());
    KafkaProducer<String, String> producer =
        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    producer.initTransactions();
    return producer;
  }

  void transact(JsonNode request) throws Exception {
    String name = request.get("producer").asText();
    KafkaProducer<String, String> producer = producers.get(name);
    if (open.add(name)) producer.beginTransaction();
    List<Future<?>> sent = new ArrayList<>();
    for (JsonNode record : request.get("records")) {
      sent.add(producer.send(Driver.recordOf(request.get("topic").asText(), record)));
    }
    producer.flush();
    for (Future<?> future : sent) future.get();
    if (request.get("end").isNull()) return;
    open.remove(name);
    if (request.get("end").asText().equals("commit")) producer.commitTransaction();
    else producer.abortTransaction();
  }

  void copy(JsonNode request) {
    Map<String, Object> settings = Map.of(
        "bootstrap.servers", bootstrap,
        "group.id", request.get("group").asText(),
        "isolation.level", "read_committed",
        "auto.offset.reset", "earliest",
        "enable.auto.commit", false);
    try (var producer = initialized(request);
        var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(request.get("source").asText()));
      String last = "";
      for (boolean isFirst = true; !last.equals(request.get("until").asText()); ) {
        ConsumerRecords<String, String> read = consumer.poll(Duration.ofMillis(300));
        if (read.isEmpty()) continue;
        String copied = copied(read, producer, consumer, request.get("target").asText(), isFirst);
        if (copied == null) rewind(consumer);
        else last = copied;
        isFirst = false;
      }
    }
  }

  /** The last value, or null when the transaction has been aborted. */
  private static String copied(
      ConsumerRecords<String, String> read,
      KafkaProducer<String, String> producer,
      KafkaConsumer<String, String> consumer,
      String target,
      boolean inVain) {
    try {
      producer.beginTransaction();
      String last = null;
      Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
      for (ConsumerRecord<String, String> record : read) {
        last = record.value();
        producer.send(new ProducerRecord<>(target, 0, null, last));
        TopicPartition place = new TopicPartition(record.topic(), record.partition());
        offsets.put(place, new OffsetAndMetadata(record.offset() + 1));
      }
      producer.flush();
      if (!inVain) {
        producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
        producer.commitTransaction();
        return last;
      }
    } catch (ProducerFencedException | InvalidProducerEpochException error) {
      throw error;
    } catch (KafkaException error) {
      // Anything else can be aborted, and tried again.
    }
    producer.abortTransaction();
    return null;
  }

  private static void rewind(KafkaConsumer<String, String> consumer) {
    consumer.committed(consumer.assignment()).forEach((place, committed) ->
        consumer.seek(place, committed == null ? 0 : committed.offset()));
  }
}
