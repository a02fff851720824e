import { readdirSync } from 'node:fs';
import { defineConfig, type Plugin } from 'rolldown';

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

/**
 * V8 keeps a source text as two bytes a character as soon as one character is beyond Latin-1, and all of it as long as the
 * program runs. Without comments such characters are in literals only, which can spell them in ASCII.
 */
const inAscii: Plugin = {
  name: 'in-ascii',
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) if (chunk.type === 'chunk') chunk.code = escaped(chunk.code);
  },
};

/** Where a backslash stands before the character, an escape would be one of the backslash. */
function escaped(code: string): string {
  const [problem] = /(?<!\\)(?:\\\\)*\\[^\0-\x7f]/.exec(code) ?? [];
  if (problem !== undefined) throw new Error(`the bundle has ${problem}, which cannot be written in ASCII`);
  return code.replaceAll(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export default defineConfig({
  input: Object.fromEntries(programs.map(name => [name, `${name}.ts`])),
  platform: 'node',
  plugins: [inAscii],
  output: {
    dir: 'dist/programs',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'shared/[name]-[hash].js',
    cleanDir: true,
    comments: false,
  },
});
