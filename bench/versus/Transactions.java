import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
 * Transactions of the Java client. One process serves all turns, and is warm for both sides. A turn is a line on stdin,
 * answered by a line:
 *
 *   rate bootstrap topic id records partitions transactions
 *       one producer commits so many transactions, one after the other, each of so many records, spread over so many
 *       partitions; nanoseconds of them all
 *   latency bootstrap topic id perSecond transactions discarded
 *       the same at a fixed rate, with one record each; microseconds from a transaction's beginning until it is committed, p50
 *       and p99, and until a reader of committed records has it, p50 and p99; of those behind the first `discarded`
 *   fill bootstrap topic id producers transactions records recordBytes abortsEvery
 *       so many producers side by side, in one partition, each with so many transactions, of which every so manieth is
 *       aborted (0: none); how many records were committed
 */
public class Transactions {
  private static final Duration POLL = Duration.ofMillis(100);
  private static final int RECORD_BYTES = 100;

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split(" ");
      int[] numbers = Arrays.stream(words).skip(4).mapToInt(Integer::parseInt).toArray();
      switch (words[0]) {
        case "rate" -> System.out.println(rate(words, numbers[0], numbers[1], numbers[2]));
        case "latency" -> System.out.println(latency(words, numbers[0], numbers[1], numbers[2]));
        default -> System.out.println(fill(words, numbers));
      }
    }
  }

  private static KafkaProducer<byte[], byte[]> producer(String bootstrap, String id) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("transactional.id", id);
    KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    producer.initTransactions();
    return producer;
  }

  // --- one after the other -----------------------------------------------------------------------------------------

  private static long rate(String[] words, int records, int partitions, int transactions) {
    try (KafkaProducer<byte[], byte[]> producer = producer(words[1], words[3])) {
      // The first one gets to know the topic, and is not counted.
      commit(producer, words[2], records, partitions);
      long begin = System.nanoTime();
      for (int i = 0; i < transactions; i++) commit(producer, words[2], records, partitions);
      return System.nanoTime() - begin;
    }
  }

  private static void commit(KafkaProducer<byte[], byte[]> producer, String topic, int records, int partitions) {
    producer.beginTransaction();
    for (int i = 0; i < records; i++) {
      producer.send(new ProducerRecord<>(topic, i % partitions, null, new byte[RECORD_BYTES]));
    }
    producer.commitTransaction();
  }

  // --- at a fixed rate ---------------------------------------------------------------------------------------------

  private static String latency(String[] words, int perSecond, int transactions, int discarded) throws Exception {
    long[] committed = new long[transactions];
    long[] read = new long[transactions];
    Properties settings = new Properties();
    settings.put("bootstrap.servers", words[1]);
    settings.put("isolation.level", "read_committed");
    try (KafkaProducer<byte[], byte[]> producer = producer(words[1], words[3]);
        KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      TopicPartition partition = new TopicPartition(words[2], 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      consumer.position(partition);
      Thread reader = new Thread(() -> readAll(consumer, read));
      reader.start();
      commitAll(producer, words[2], 1_000_000_000L / perSecond, committed);
      reader.join(TimeUnit.SECONDS.toMillis(60));
      if (reader.isAlive()) throw new IllegalStateException("not all records could be read");
    }
    return summary(committed, discarded) + " " + summary(read, discarded);
  }

  /** A transaction that is late begins at once, and the next ones at their time again. */
  private static void commitAll(KafkaProducer<byte[], byte[]> producer, String topic, long interval, long[] committed) {
    long start = System.nanoTime();
    for (int i = 0; i < committed.length; i++) {
      long due = start + i * interval;
      for (long now = System.nanoTime(); now < due; now = System.nanoTime()) LockSupport.parkNanos(due - now);
      long begin = System.nanoTime();
      byte[] value = new byte[RECORD_BYTES];
      ByteBuffer.wrap(value).putLong(begin).putInt(i);
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(topic, 0, null, value));
      producer.commitTransaction();
      committed[i] = System.nanoTime() - begin;
    }
  }

  private static void readAll(KafkaConsumer<byte[], byte[]> consumer, long[] read) {
    for (int seen = 0; seen < read.length; ) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        ByteBuffer value = ByteBuffer.wrap(record.value());
        long begin = value.getLong();
        read[value.getInt()] = System.nanoTime() - begin;
        seen++;
      }
    }
  }

  private static String summary(long[] nanos, int discarded) {
    long[] sorted = Arrays.copyOfRange(nanos, discarded, nanos.length);
    Arrays.sort(sorted);
    return sorted[sorted.length / 2] / 1_000 + " " + sorted[(int) (sorted.length * 0.99)] / 1_000;
  }

  // --- side by side ------------------------------------------------------------------------------------------------

  private static long fill(String[] words, int[] numbers) throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      List<Callable<Long>> writers = new ArrayList<>();
      for (int i = 0; i < numbers[0]; i++) {
        String id = words[3] + "-" + i;
        writers.add(() -> write(words, id, numbers[1], numbers[2], numbers[3], numbers[4]));
      }
      long committed = 0;
      for (Future<Long> writer : threads.invokeAll(writers)) committed += writer.get();
      return committed;
    } finally {
      threads.shutdown();
    }
  }

  private static long write(String[] words, String id, int transactions, int records, int recordBytes, int abortsEvery) {
    long committed = 0;
    try (KafkaProducer<byte[], byte[]> producer = producer(words[1], id)) {
      for (int i = 1; i <= transactions; i++) {
        producer.beginTransaction();
        for (int n = 0; n < records; n++) producer.send(new ProducerRecord<>(words[2], 0, null, new byte[recordBytes]));
        // Only what is in the log can be aborted there.
        producer.flush();
        if (abortsEvery > 0 && i % abortsEvery == 0) {
          producer.abortTransaction();
          continue;
        }
        producer.commitTransaction();
        committed += records;
      }
    }
    return committed;
  }
}
