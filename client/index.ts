// The SDK's public face. Whoever needs a quick start imports one of create/ instead: each loads only its kind of client.
export { createAdmin } from './create/admin.ts';
export { createConsumer, type ConsumerParts } from './create/consumer.ts';
export { createMemberCommits } from './create/member-commits.ts';
export type { ClientParts } from './create/parts.ts';
export { createProducer, type ProducerParts } from './create/producer.ts';
export { RecordDeserializationError } from './consumer/record-decoder.ts';
export { KafkaError } from './errors.ts';
export { SerializationError, type Deserializer, type Serde, type Serializer } from './serialization/serde.ts';
export { serdes } from './serialization/serdes.ts';
export type { Admin } from './admin/admin.ts';
export type { GroupFilter } from './admin/groups/describe.ts';
export type {
  GroupDescription,
  GroupListing,
  GroupMember,
  GroupOffset,
  MemberToRemove,
  RemovedMember,
} from './admin/groups/types.ts';
export type { LogDir, ReplicaLog, ReplicaPlacement } from './admin/log-dirs.ts';
export type { NewReassignment, PartitionReassignment } from './admin/reassignments.ts';
export type { DeletedRecords } from './admin/records.ts';
export type {
  ActiveProducer,
  TransactionDescription,
  TransactionFilter,
  TransactionListing,
  TransactionToAbort,
} from './admin/transactions.ts';
export type {
  ConfigChange,
  ConfigEntry,
  ConfigResource,
  CreatedTopic,
  ElectionOutcome,
  NewTopic,
} from './admin/types.ts';
export type { BrokerInfo, PartitionInfo, TopicInfo } from './cluster/cluster-view.ts';
export type { ClientSettings } from './config.ts';
export type { Consumer } from './consumer/consumer.ts';
export type { GroupMetadata, RebalanceListener } from './consumer/group/consumer-group.ts';
export type { CommittedOffset, OffsetsQuestion, OffsetToCommit } from './groups/committed-offsets.ts';
export type { MemberCommits, MemberName } from './consumer/group/member-commits.ts';
export type { ConsumerInterceptor } from './consumer/interceptors.ts';
export type { FoundOffset, OffsetSpec } from './consumer/offsets.ts';
export type { ConsumerRecord } from './consumer/record.ts';
export type { ProducerInterceptor } from './producer/interceptors.ts';
export type { Partitioner } from './producer/partitioner.ts';
export { TransactionError } from './producer/transactions/error-rules.ts';
export type { Transaction } from './producer/transactions/transaction.ts';
export type { Producer } from './producer/producer.ts';
export type { ProducerRecord, RecordMetadata, SendCallback } from './producer/record.ts';
