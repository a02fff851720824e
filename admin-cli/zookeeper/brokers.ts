import { ToolFailure } from '../support/tool.ts';
import { withStore } from './connect.ts';

/** Addresses of the live brokers, as bootstrap servers: one that speaks plain text first. @throws ToolFailure if there are none */
export async function brokersInZooKeeper(connectString: string): Promise<string> {
  const brokers = await withStore(connectString, store => store.brokers.list());
  const addresses = brokers.flatMap(({ registration }) => {
    const { endpoints } = registration;
    const endpoint = endpoints.find(({ securityProtocol }) => securityProtocol === 'PLAINTEXT') ?? endpoints[0];
    return endpoint === undefined ? [] : [`${endpoint.host}:${endpoint.port}`];
  });
  if (addresses.length === 0) throw new ToolFailure(`No broker is registered in ZooKeeper at ${connectString}`);
  return addresses.join(',');
}
