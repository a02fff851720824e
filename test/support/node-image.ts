import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyInto, librariesOf } from './image-parts.ts';

const IMAGE = 'samsa-test-node:1';
/** Programs of the machine that the Dockerfile and the launchers use. */
const PROGRAMS =
  'bash sh dirname readlink basename find tr head grep mkdir chown cp rm touch cat id env nohup kill ldd'.split(' ');
/** Where certificates and names come from, so that packages can be installed within a build. */
const NETWORK_FILES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/nsswitch.conf', '/etc/os-release'];

/**
 * Builds what the Dockerfile takes for `NODE_IMAGE`, a Debian with Node and npm, from parts of this machine, on top of
 * nothing: no registry of images is asked. Some ten seconds. Returns its name.
 */
export function nodeImage(docker: (...args: string[]) => string): string {
  const context = mkdtempSync(join(tmpdir(), 'samsa-image-'));
  try {
    const root = join(context, 'root');
    for (const directory of ['tmp', 'usr/bin', 'usr/lib/npm']) mkdirSync(join(root, directory), { recursive: true });
    symlinkSync('usr/bin', join(root, 'bin'));
    const programs = PROGRAMS.map(name => execFileSync('which', [name]).toString().trim());
    for (const program of programs) copyProgram(root, program);
    copyProgram(root, process.execPath, 'node');
    const linked = [...programs.filter(path => !path.endsWith('/ldd')), process.execPath, ...nativePackages()];
    const libraries = librariesOf(linked);
    for (const file of [...libraries, ...NETWORK_FILES]) if (existsSync(file)) copyInto(root, file);
    bringNpm(root);
    writeFileSync(join(context, 'Dockerfile'), DOCKERFILE);
    docker('build', '--tag', IMAGE, context);
    return IMAGE;
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

const DOCKERFILE = `FROM scratch
COPY root/ /
ENV PATH=/usr/bin NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
`;

/** Packages in native code, which the image will install for itself: a Debian has what they are linked with. */
function nativePackages(): string[] {
  const packages = join(import.meta.dirname, '../../node_modules');
  const files = readdirSync(packages, { recursive: true, encoding: 'utf8' });
  return files.filter(name => /gnu[^/]*\/[^/]*\.node$/.test(name)).map(name => join(packages, name));
}

function copyProgram(root: string, path: string, name = path.slice(path.lastIndexOf('/') + 1)): void {
  execFileSync('cp', ['--dereference', path, join(root, 'usr/bin', name)]);
}

/** npm is JavaScript alone; Debian spreads its own over many packages. */
function bringNpm(root: string): void {
  const prefix = join(root, 'usr/lib/npm');
  execFileSync('npm', [
    'install',
    '--prefix',
    prefix,
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    'npm@11',
  ]);
  symlinkSync('/usr/lib/npm/node_modules/npm/bin/npm-cli.js', join(root, 'usr/bin/npm'));
}
