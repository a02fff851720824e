import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Consumers of the Java client in groups. One process serves all turns, and is warm for both sides. A turn is a line on stdin,
 * answered by a line: the nanoseconds of what is measured.
 *
 *   rebalance bootstrap topic group members rounds   a member more joins, from its first poll until all are in its generation
 *                                                    and share the topic's members + 1 partitions; the sum of all rounds
 *   commit bootstrap topic group consumers commits   so many consumers, each in a group of its own that has no members, commit
 *                                                    one offset after the other, until there are so many commits of them all
 */
public class Groups {
  private static final Duration POLL = Duration.ofMillis(20);
  private static final long LIMIT_NANOS = 120_000_000_000L;

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split(" ");
      System.out.println(words[0].equals("rebalance") ? rebalance(words) : commit(words));
    }
  }

  private static KafkaConsumer<byte[], byte[]> consumer(String bootstrap, String group) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("group.id", group);
    settings.put("enable.auto.commit", "false");
    settings.put("heartbeat.interval.ms", "100");
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  // --- rebalances --------------------------------------------------------------------------------------------------

  private static long rebalance(String[] words) throws Exception {
    int size = Integer.parseInt(words[4]);
    int rounds = Integer.parseInt(words[5]);
    List<Member> members = new ArrayList<>();
    long nanos = 0;
    try {
      for (int i = 0; i < size; i++) members.add(new Member(words[1], words[2], words[3]));
      awaitAll(members, size + 1);
      for (int round = 0; round < rounds; round++) {
        Member added = new Member(words[1], words[2], words[3]);
        members.add(added);
        nanos += awaitAll(members, size + 1) - added.firstPoll;
        members.remove(added);
        added.leave();
        awaitAll(members, size + 1);
      }
    } finally {
      for (Member member : members) member.running = false;
      for (Member member : members) member.leave();
    }
    return nanos;
  }

  /** Waits until all are in one generation, have a share each, and all partitions among them; tells when that was. */
  private static long awaitAll(List<Member> members, int partitions) throws Exception {
    long limit = System.nanoTime() + LIMIT_NANOS;
    while (true) {
      Set<Integer> generations = new HashSet<>();
      int shares = 0;
      boolean hasAll = true;
      for (Member member : members) {
        State state = member.state;
        generations.add(state.generation);
        shares += state.share;
        hasAll &= state.share > 0;
      }
      long now = System.nanoTime();
      if (hasAll && generations.size() == 1 && shares == partitions) return now;
      if (now > limit) throw new IllegalStateException(members.size() + " members did not come together");
      Thread.sleep(1);
    }
  }

  private record State(int generation, int share) {}

  private static class Member {
    volatile boolean running = true;
    volatile State state = new State(-1, 0);
    volatile long firstPoll;
    private final Thread thread;
    private final CountDownLatch begun = new CountDownLatch(1);

    Member(String bootstrap, String topic, String group) throws Exception {
      thread = new Thread(() -> run(bootstrap, topic, group));
      thread.start();
      begun.await();
    }

    private void run(String bootstrap, String topic, String group) {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer(bootstrap, group)) {
        consumer.subscribe(List.of(topic));
        firstPoll = System.nanoTime();
        begun.countDown();
        while (running) {
          consumer.poll(POLL);
          state = new State(consumer.groupMetadata().generationId(), consumer.assignment().size());
        }
      }
    }

    void leave() throws Exception {
      running = false;
      thread.join();
    }
  }

  // --- commits -----------------------------------------------------------------------------------------------------

  private static long commit(String[] words) throws Exception {
    int consumers = Integer.parseInt(words[4]);
    int commits = Integer.parseInt(words[5]);
    TopicPartition partition = new TopicPartition(words[2], 0);
    AtomicInteger left = new AtomicInteger(commits);
    AtomicLong failed = new AtomicLong();
    CountDownLatch ready = new CountDownLatch(consumers);
    CountDownLatch go = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < consumers; i++) {
      String group = words[3] + "-" + i;
      Thread thread = new Thread(() -> {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(words[1], group)) {
          // The first one finds the coordinator, and is not counted.
          consumer.commitSync(Map.of(partition, new OffsetAndMetadata(0)));
          ready.countDown();
          go.await();
          for (int n = left.decrementAndGet(); n >= 0; n = left.decrementAndGet()) {
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(n)));
          }
        } catch (Exception error) {
          failed.incrementAndGet();
          ready.countDown();
        }
      });
      threads.add(thread);
      thread.start();
    }
    ready.await();
    long begin = System.nanoTime();
    go.countDown();
    for (Thread thread : threads) thread.join();
    if (failed.get() > 0) throw new IllegalStateException(failed.get() + " consumers could not commit");
    return System.nanoTime() - begin;
  }
}
