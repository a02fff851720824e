import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes records at a fixed rate and reads them in the same process, so that one clock tells how long each was under way.
 * One process measures all turns, and is warm for both sides. A turn is a line on stdin
 *
 *   bootstrap topic acks recordBytes recordsPerSecond records discarded
 *
 * of which the first `discarded` records do not count, and is answered by a line of microseconds
 *
 *   ackP50 ackP99 readP50 readP99
 */
public class FixedRate {
  private static final Duration POLL = Duration.ofMillis(100);
  private static final int PARTITION = 0;

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      System.out.println(turn(line.split(" ")));
    }
  }

  private static String turn(String[] words) throws Exception {
    String topic = words[1];
    int recordBytes = Integer.parseInt(words[3]);
    long interval = 1_000_000_000L / Long.parseLong(words[4]);
    int records = Integer.parseInt(words[5]);
    int discarded = Integer.parseInt(words[6]);
    long[] acknowledged = new long[records];
    long[] read = new long[records];
    Properties settings = new Properties();
    settings.put("bootstrap.servers", words[0]);
    settings.put("acks", words[2]);
    try (KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      TopicPartition partition = new TopicPartition(topic, PARTITION);
      consumer.assign(List.of(partition));
      consumer.seekToEnd(List.of(partition));
      consumer.position(partition);
      producer.partitionsFor(topic);
      Thread reader = new Thread(() -> readAll(consumer, read));
      reader.start();
      writeAll(producer, topic, recordBytes, interval, acknowledged);
      reader.join(TimeUnit.SECONDS.toMillis(60));
      if (reader.isAlive()) throw new IllegalStateException("not all records could be read");
    }
    return summary(acknowledged, discarded) + " " + summary(read, discarded);
  }

  /** A record that is late is sent at once, and the next ones at their time again. */
  private static void writeAll(
      KafkaProducer<byte[], byte[]> producer, String topic, int recordBytes, long interval, long[] acknowledged)
      throws Exception {
    CountDownLatch open = new CountDownLatch(acknowledged.length);
    long begin = System.nanoTime();
    for (int i = 0; i < acknowledged.length; i++) {
      long due = begin + i * interval;
      for (long now = System.nanoTime(); now < due; now = System.nanoTime()) LockSupport.parkNanos(due - now);
      long sent = System.nanoTime();
      int index = i;
      byte[] value = new byte[recordBytes];
      ByteBuffer.wrap(value).putLong(sent).putInt(index);
      producer.send(
          new ProducerRecord<>(topic, PARTITION, null, value),
          (metadata, error) -> {
            acknowledged[index] = error == null ? System.nanoTime() - sent : Long.MAX_VALUE;
            open.countDown();
          });
    }
    if (!open.await(60, TimeUnit.SECONDS)) throw new IllegalStateException("not all records were acknowledged");
  }

  private static void readAll(KafkaConsumer<byte[], byte[]> consumer, long[] read) {
    for (int seen = 0; seen < read.length; ) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        ByteBuffer value = ByteBuffer.wrap(record.value());
        long sent = value.getLong();
        read[value.getInt()] = System.nanoTime() - sent;
        seen++;
      }
    }
  }

  private static String summary(long[] nanos, int discarded) {
    long[] sorted = Arrays.copyOfRange(nanos, discarded, nanos.length);
    Arrays.sort(sorted);
    return sorted[sorted.length / 2] / 1_000 + " " + sorted[(int) (sorted.length * 0.99)] / 1_000;
  }
}
