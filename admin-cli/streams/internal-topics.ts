import { UsageError } from '../support/tool.ts';

/** The ends of the names of topics that Kafka Streams makes for itself (`StreamsResetter.matchesInternalTopicFormat`). */
const INTERNAL =
  /(-changelog|-repartition|-subscription-registration-topic|-subscription-response-topic|-KTABLE-FK-JOIN-SUBSCRIPTION-(REGISTRATION|RESPONSE)-\d+-topic)$/;

/** The topics that Kafka Streams has made for an application, but for those that the user has named as something else. */
export function internalTopics(all: readonly string[], applicationId: string, named: readonly string[]): string[] {
  return all.filter(topic => !named.includes(topic) && topic.startsWith(`${applicationId}-`) && INTERNAL.test(topic));
}

/** Those that are to be deleted: all, or the ones that --internal-topics names. @throws UsageError for one that is none */
export function topicsToDelete(inferred: readonly string[], specified: readonly string[]): readonly string[] {
  if (specified.length === 0) return inferred;
  const stranger = specified.find(topic => !inferred.includes(topic));
  if (stranger === undefined) return specified;
  throw new UsageError(
    `Invalid topic specified in the --internal-topics option: ${stranger} is not an internal topic of the application. ` +
      'Do a dry run without the --internal-topics option to see the list of all internal topics that can be deleted.',
  );
}
