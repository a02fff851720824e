import type { ClientSettings } from '../config.ts';
import { MemberCommits } from '../consumer/group/member-commits.ts';
import { build, type ClientParts } from './parts.ts';

/** Makes what commits in the name of members, from a consumer's settings. @throws KafkaError for a bad setting */
export function createMemberCommits(settings: ClientSettings, parts: ClientParts = {}): MemberCommits {
  const { config, cluster } = build('consumer', settings, parts);
  return new MemberCommits(cluster, config['default.api.timeout.ms']);
}
