import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.GroupSubscription;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Apache Kafka's assignors. Takes lines {assignor, topics: {name: [[rack, …], …]}, members: [{memberId, instanceId, topics,
 * owned: [{topic, partition}, …], generation, rackId}, …]}, answers each with {member: ["topic-partition", …], …}.
 */
public class Assignors {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, ConsumerPartitionAssignor> ASSIGNORS = Map.of(
      "range", new RangeAssignor(),
      "roundrobin", new RoundRobinAssignor(),
      "cooperative-sticky", new CooperativeStickyAssignor());

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    PrintStream out = new PrintStream(System.out, true, "UTF-8");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode asked = JSON.readTree(line);
      ObjectNode answer = JSON.createObjectNode();
      ASSIGNORS.get(asked.get("assignor").asText())
          .assign(clusterOf(asked.get("topics")), new GroupSubscription(subscriptionsOf(asked.get("members"))))
          .groupAssignment()
          .forEach((member, assignment) -> {
            ArrayNode partitions = answer.putArray(member);
            assignment.partitions().forEach(partition -> partitions.add(partition.toString()));
          });
      out.println(JSON.writeValueAsString(answer));
    }
  }

  /** A broker for each rack. */
  private static Cluster clusterOf(JsonNode topics) {
    Map<String, Node> nodes = new HashMap<>();
    List<PartitionInfo> partitions = new ArrayList<>();
    topics.fields().forEachRemaining(topic -> {
      for (int partition = 0; partition < topic.getValue().size(); partition++) {
        List<Node> replicas = new ArrayList<>();
        for (JsonNode rack : topic.getValue().get(partition)) {
          replicas.add(nodes.computeIfAbsent(rack.asText(), name -> new Node(nodes.size(), "localhost", 9092, name)));
        }
        Node[] all = replicas.toArray(new Node[0]);
        partitions.add(new PartitionInfo(topic.getKey(), partition, all.length == 0 ? null : all[0], all, all));
      }
    });
    return new Cluster("id", nodes.values(), partitions, Set.of(), Set.of());
  }

  private static Map<String, Subscription> subscriptionsOf(JsonNode members) {
    Map<String, Subscription> subscriptions = new HashMap<>();
    for (JsonNode member : members) {
      List<String> topics = new ArrayList<>();
      member.get("topics").forEach(topic -> topics.add(topic.asText()));
      List<TopicPartition> owned = new ArrayList<>();
      for (JsonNode partition : member.get("owned")) {
        owned.add(new TopicPartition(partition.get("topic").asText(), partition.get("partition").asInt()));
      }
      Optional<String> rack = member.get("rackId").isNull() ? Optional.empty() : Optional.of(member.get("rackId").asText());
      Subscription subscription = new Subscription(topics, null, owned, member.get("generation").asInt(), rack);
      if (!member.get("instanceId").isNull()) {
        subscription.setGroupInstanceId(Optional.of(member.get("instanceId").asText()));
      }
      subscriptions.put(member.get("memberId").asText(), subscription);
    }
    return subscriptions;
  }
}
