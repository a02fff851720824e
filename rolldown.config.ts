import { readdirSync } from 'node:fs';
import { defineConfig } from 'rolldown';

/**
 * Every program in one piece with what it imports, under dist/programs/: hundreds of small files take a second to find,
 * strip and compile, a bundle a fifth of that. The launchers take the bundle when nothing has changed since
 * (bin/lib/common.sh), and the sources otherwise.
 */
const programs = [
  'broker/main',
  // The broker starts it in a thread, from the file beside its own.
  'broker/cleaner-worker',
  ...readdirSync('admin-cli')
    .filter(isSource)
    .map(name => `admin-cli/${stem(name)}`),
];

function isSource(name: string): boolean {
  return name.endsWith('.ts');
}

function stem(name: string): string {
  return name.slice(0, -'.ts'.length);
}

export default defineConfig({
  input: Object.fromEntries(programs.map(name => [name, `${name}.ts`])),
  platform: 'node',
  // Native modules find their binaries beside themselves.
  external: ['lz4-napi', 'snappy'],
  output: {
    dir: 'dist/programs',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'shared/[name]-[hash].js',
    cleanDir: true,
  },
});
