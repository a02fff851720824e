import { ZooKeeperError, type Operation, type OperationResult, type Stat } from '../../shared/zookeeper/zookeeper.ts';

interface Node {
  data: Buffer | null;
  version: number;
  readonly czxid: bigint;
  mzxid: bigint;
  /** Last change of the children. */
  pzxid: bigint;
  readonly ctime: number;
  readonly ephemeralOwner: bigint;
  readonly children: Set<string>;
  /** Children ever created: the next sequence number. */
  created: number;
}

/** What a transaction has done to a node, for those who watch it. */
export interface Change {
  readonly kind: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged';
  readonly path: string;
}

export interface Applied {
  readonly results: OperationResult[];
  readonly changes: Change[];
}

/** The data of a ZooKeeper: nodes, transaction ids, and transactions that happen as a whole or not at all. */
export class ZooKeeperTree {
  zxid = 0n;
  readonly #nodes = new Map<string, Node>();

  constructor() {
    this.#nodes.set('/', newNode(null, 0n, 0, 0n));
  }

  read(path: string): { data: Buffer | null; stat: Stat; pzxid: bigint } | null {
    const node = this.#nodes.get(path);
    return node === undefined ? null : { data: node.data, stat: statOf(node), pzxid: node.pzxid };
  }

  children(path: string): string[] | null {
    const node = this.#nodes.get(path);
    return node === undefined ? null : [...node.children];
  }

  ephemeralsOf(session: bigint): string[] {
    return [...this.#nodes].filter(([, node]) => node.ephemeralOwner === session).map(([path]) => path);
  }

  /** @throws ZooKeeperError of the first operation that cannot be done; then nothing has changed but the zxid */
  apply(operations: readonly Operation[], session: bigint, nowMs: number): Applied {
    this.zxid++;
    const undo: (() => void)[] = [];
    const changes: Change[] = [];
    try {
      const results = operations.map((operation, index) =>
        this.#applyOne(operation, index, { session, nowMs, undo, changes }),
      );
      return { results, changes };
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw error;
    }
  }

  #applyOne(operation: Operation, index: number, transaction: Transaction): OperationResult {
    switch (operation.kind) {
      case 'create':
        return { kind: 'create', path: this.#create(operation, index, transaction) };
      case 'setData':
        return { kind: 'setData', stat: this.#setData(operation, index, transaction) };
      case 'remove':
        this.#remove(operation, index, transaction);
        return { kind: 'remove' };
      case 'check':
        this.#requireVersion(operation.path, operation.version, index);
        return { kind: 'check' };
    }
  }

  #create(
    operation: Operation & { kind: 'create' },
    index: number,
    { session, nowMs, undo, changes }: Transaction,
  ): string {
    const parentPath = parentOf(operation.path);
    const parent = this.#nodes.get(parentPath);
    if (parent === undefined) throw failure('NO_NODE', operation.path, index);
    if (parent.ephemeralOwner !== 0n) throw failure('NO_CHILDREN_FOR_EPHEMERALS', operation.path, index);
    const sequential = operation.mode.endsWith('Sequential');
    const path = sequential ? operation.path + String(parent.created).padStart(10, '0') : operation.path;
    if (this.#nodes.has(path)) throw failure('NODE_EXISTS', path, index);
    const owner = operation.mode.startsWith('ephemeral') ? session : 0n;
    const former = { pzxid: parent.pzxid, created: parent.created };
    this.#nodes.set(path, newNode(operation.data, this.zxid, nowMs, owner));
    parent.children.add(path.slice(path.lastIndexOf('/') + 1));
    parent.created++;
    parent.pzxid = this.zxid;
    undo.push(() => {
      this.#nodes.delete(path);
      parent.children.delete(path.slice(path.lastIndexOf('/') + 1));
      Object.assign(parent, former);
    });
    changes.push({ kind: 'created', path }, { kind: 'childrenChanged', path: parentPath });
    return path;
  }

  #setData(operation: Operation & { kind: 'setData' }, index: number, { undo, changes }: Transaction): Stat {
    const node = this.#requireVersion(operation.path, operation.version, index);
    const { data, version, mzxid } = node;
    undo.push(() => Object.assign(node, { data, version, mzxid }));
    Object.assign(node, { data: emptyToNull(operation.data), version: version + 1, mzxid: this.zxid });
    changes.push({ kind: 'dataChanged', path: operation.path });
    return statOf(node);
  }

  #remove(operation: Operation & { kind: 'remove' }, index: number, { undo, changes }: Transaction): void {
    const { path } = operation;
    const node = this.#requireVersion(path, operation.version, index);
    if (node.children.size > 0) throw failure('NOT_EMPTY', path, index);
    const parent = this.#nodes.get(parentOf(path))!;
    const name = path.slice(path.lastIndexOf('/') + 1);
    const { pzxid } = parent;
    this.#nodes.delete(path);
    parent.children.delete(name);
    parent.pzxid = this.zxid;
    undo.push(() => {
      this.#nodes.set(path, node);
      parent.children.add(name);
      parent.pzxid = pzxid;
    });
    changes.push({ kind: 'deleted', path }, { kind: 'childrenChanged', path: parentOf(path) });
  }

  #requireVersion(path: string, version: number, index: number): Node {
    const node = this.#nodes.get(path);
    if (node === undefined) throw failure('NO_NODE', path, index);
    if (version !== -1 && version !== node.version) throw failure('BAD_VERSION', path, index);
    return node;
  }
}

interface Transaction {
  readonly session: bigint;
  readonly nowMs: number;
  readonly undo: (() => void)[];
  readonly changes: Change[];
}

function newNode(data: Buffer | null, zxid: bigint, nowMs: number, ephemeralOwner: bigint): Node {
  return {
    data: emptyToNull(data),
    version: 0,
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctime: nowMs,
    ephemeralOwner,
    children: new Set(),
    created: 0,
  };
}

function emptyToNull(data: Buffer | null): Buffer | null {
  return data === null || data.length === 0 ? null : Buffer.from(data);
}

function statOf({ czxid, mzxid, ctime, version, ephemeralOwner, children }: Node): Stat {
  return { czxid, mzxid, ctime, version, ephemeralOwner, numChildren: children.size };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function failure(code: ZooKeeperError['code'], path: string, index: number): ZooKeeperError {
  return new ZooKeeperError(code, path, `${path}: ${code}`, index);
}
