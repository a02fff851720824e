/**
 * Who may import whom (docs/ARCHITECTURE.md, "Rooms"): fails on a forbidden import, a cycle, a room that is not in the
 * table, and on a cruise that saw suspiciously few files (a tool that reads nothing agrees with everything).
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';

const root = join(import.meta.dirname, '../..');
const TOP_LEVEL = ['shared', 'client', 'admin-cli', 'broker'];

/** Rooms of broker/, and what each may import besides itself, shared/ and request/. */
const BROKER_ROOMS: Record<string, readonly string[]> = {
  config: [],
  metrics: [],
  request: [],
  delayed: [],
  storage: ['config', 'metrics'],
  security: ['config', 'metrics'],
  metadata: ['config', 'metrics'],
  network: ['config', 'metrics', 'security'],
  replication: ['config', 'metrics', 'metadata', 'storage', 'delayed'],
  group: ['config', 'metrics', 'metadata', 'delayed'],
  transaction: ['config', 'metrics', 'metadata', 'delayed'],
  controller: ['config', 'metrics', 'metadata'],
  api: [
    'config',
    'metrics',
    'metadata',
    'security',
    'storage',
    'replication',
    'controller',
    'group',
    'transaction',
    'delayed',
  ],
  http: ['config', 'metrics', 'security', 'metadata', 'client'],
};

const brokerRules = Object.entries(BROKER_ROOMS).map(([room, allowed]) => {
  const rooms = [room, 'request', ...allowed.filter(name => name !== 'client')].map(name => `broker/${name}/`);
  const reachable = [...rooms, 'shared/', ...(allowed.includes('client') ? ['client/'] : [])];
  return {
    name: `broker/${room} may import only ${reachable.join(' ')}`,
    severity: 'error' as const,
    from: { path: `^broker/${room}/` },
    to: { path: '^(shared|client|admin-cli|broker|test|bench)/', pathNot: `^(${reachable.join('|')})` },
  };
});

const topRules = [
  { from: '^shared/', to: '^(client|admin-cli|broker|test|bench)/', name: 'shared/ imports nothing above it' },
  { from: '^client/', to: '^(admin-cli|broker|test|bench)/', name: 'client/ imports only shared/' },
  { from: '^admin-cli/', to: '^(broker|test|bench)/', name: 'admin-cli/ imports only client/ and shared/' },
  { from: '^broker/', to: '^(admin-cli|test|bench)/', name: 'broker/ imports no tool and no test' },
].map(({ from, to, name }) => ({ name, severity: 'error' as const, from: { path: from }, to: { path: to } }));

const cycles = { name: 'no import cycles', severity: 'error' as const, from: {}, to: { circular: true } };

function unknownRooms(): string[] {
  return readdirSync(join(root, 'broker'), { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !(entry.name in BROKER_ROOMS))
    .map(entry => `broker/${entry.name} is not in the table of rooms`);
}

process.chdir(root);
const { output } = await cruise(TOP_LEVEL, {
  ruleSet: { forbidden: [...brokerRules, ...topRules, cycles] },
  validate: true,
  doNotFollow: { path: 'node_modules' },
  tsPreCompilationDeps: true,
});
const { violations, totalCruised } = (output as ICruiseResult).summary;
const problems = unknownRooms();
for (const { rule, from, to, cycle } of violations) {
  problems.push(`${rule.name}: ${from} -> ${cycle?.map(step => step.name).join(' -> ') ?? to}`);
}
if (totalCruised < 60)
  problems.push(`only ${totalCruised} modules were read: the import reader does not see the sources`);
for (const problem of problems) console.error(problem);
console.log(`${totalCruised} modules, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
