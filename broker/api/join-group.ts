import { ownCopy } from '../../shared/memory/own-copy.ts';
import { JoinGroup } from '../../shared/protocol/messages/join-group.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import type { ApiHandler } from '../request/handler.ts';

/** From this version on a member is given its id before it joins (KIP-394). */
const FIRST_WITH_KNOWN_IDS = 4;
const FIRST_WITH_NULL_PROTOCOL = 7;
const FIRST_WITH_SKIP_ASSIGNMENT = 9;

/** A member joins; answered when the next generation begins, or when there is nothing to wait for. */
export function joinGroupHandler(groups: GroupCoordinator): ApiHandler<typeof JoinGroup> {
  return {
    api: JoinGroup,
    versions: JoinGroup.versions,
    async handle(request, context) {
      const { apiVersion, clientId, connection } = context;
      const joined = groups.join({
        groupId: request.groupId,
        memberId: request.memberId,
        groupInstanceId: request.groupInstanceId,
        clientId,
        clientHost: `/${connection.clientAddress}`,
        rebalanceTimeoutMs: apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
        sessionTimeoutMs: request.sessionTimeoutMs,
        protocolType: request.protocolType,
        // Copied, because the request's memory is not the group's.
        protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: ownCopy(metadata) })),
        requiresKnownMemberId: apiVersion >= FIRST_WITH_KNOWN_IDS && request.groupInstanceId === null,
        maySkipAssignment: apiVersion >= FIRST_WITH_SKIP_ASSIGNMENT,
        reason: request.reason ?? '',
      });
      context.park();
      const { protocolName, leaderId, members, ...result } = await joined;
      return {
        throttleTimeMs: 0,
        ...result,
        protocolName: protocolName ?? (apiVersion >= FIRST_WITH_NULL_PROTOCOL ? null : ''),
        leader: leaderId,
        members: [...members],
      };
    },
  };
}
