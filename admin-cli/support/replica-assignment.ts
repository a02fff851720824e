import { ToolFailure } from './tool.ts';

const fail = (reason: string) => new ToolFailure(`Error while executing topic command : ${reason}`, 'stdout');

/** Parses `1:2,2:3` into the replicas of partition 0, 1, …. @throws ToolFailure naming what is wrong */
export function parseReplicaAssignment(text: string): number[][] {
  const partitions = text.split(',').map(part => part.split(':').map(id => parseId(id, text)));
  partitions.forEach((replicas, partition) => {
    const repeated = replicas.find((id, index) => replicas.indexOf(id) !== index);
    if (repeated !== undefined) throw fail(`Partition replica lists may not contain duplicate entries: ${repeated}`);
    if (replicas.length !== partitions[0]!.length) {
      throw fail(`Partition ${partition} has different replication factor: ${replicas.join(',')}`);
    }
  });
  return partitions;
}

function parseId(id: string, text: string): number {
  if (!/^\d+$/.test(id.trim()))
    throw fail(`Invalid replica assignment ${text}: '${id}' is not a broker id (form: 1:2,2:3)`);
  return Number(id);
}
