import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { GenericContainer, getContainerRuntimeClient, ImageName } from 'testcontainers';
import { copyInto, librariesOf } from './image-parts.ts';

/** What a ZooKeeper server needs of Debian's jars. */
const DEBIAN_JARS = ['zookeeper', 'zookeeper-jute', 'slf4j-api', 'slf4j-simple', 'metrics-core', 'snappy-java'];
/** Modules of the Java runtime that it needs. */
const MODULES =
  'java.base,java.logging,java.management,java.naming,java.security.jgss,java.security.sasl,java.xml,jdk.unsupported,jdk.management';
/** Name of the image, by which a second test run finds it. */
const IMAGE = 'samsa-test-zookeeper:1';

/** The image of `buildImage`, built unless the engine has it. */
export async function zooKeeperImage(): Promise<string> {
  const { image } = await getContainerRuntimeClient();
  if (!(await image.exists(ImageName.fromString(IMAGE)))) await buildImage();
  return IMAGE;
}

/**
 * Builds an image with the ZooKeeper and the Java of this machine, on top of nothing: no registry is asked. Takes some
 * fifteen seconds.
 */
async function buildImage(): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'samsa-image-'));
  try {
    const root = join(context, 'root');
    for (const directory of ['tmp', 'data', 'jars']) mkdirSync(join(root, directory), { recursive: true });
    copyJars(join(root, 'jars'));
    const java = buildRuntime(root);
    for (const library of librariesOf(java, path => path.includes('/java/lib/'))) copyInto(root, library);
    writeFileSync(join(context, 'Dockerfile'), DOCKERFILE);
    await GenericContainer.fromDockerfile(context).build(IMAGE, { deleteOnExit: false });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

const DOCKERFILE = `FROM scratch
COPY root/ /
ENTRYPOINT ["/java/bin/java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "-cp", "/jars/*"]
CMD ["org.apache.zookeeper.server.quorum.QuorumPeerMain", "/zoo.cfg"]
`;

function copyJars(target: string): void {
  const home = process.env.ZOOKEEPER_HOME;
  const jars =
    home === undefined || home === ''
      ? DEBIAN_JARS.map(name => `/usr/share/java/${name}.jar`)
      : readdirSync(join(home, 'lib')).map(name => join(home, 'lib', name));
  for (const jar of jars) {
    if (!existsSync(jar)) throw new Error(`no ${jar} here: install Debian's package zookeeper or set ZOOKEEPER_HOME`);
    // Debian's names are links to names with a version.
    cpSync(realpathSync(jar), join(target, jar.slice(jar.lastIndexOf('/') + 1)));
  }
}

/** A small Java runtime where the JDK's jlink is at hand, else a copy of the machine's. Returns its programs and libraries. */
function buildRuntime(root: string): string[] {
  const target = join(root, 'java');
  const home = dirname(dirname(realpathSync(execFileSync('which', ['java']).toString().trim())));
  if (existsSync(join(home, 'bin', 'jlink')) && existsSync(join(home, 'jmods'))) {
    execFileSync(join(home, 'bin', 'jlink'), [
      '--add-modules',
      MODULES,
      '--strip-debug',
      '--no-man-pages',
      '--no-header-files',
      '--output',
      target,
    ]);
  } else {
    // Debian keeps parts of it elsewhere, behind links. Some lead nowhere: cp says so, and copies the rest.
    mkdirSync(target);
    spawnSync('cp', ['-rL', ...['bin', 'lib', 'conf'].map(part => join(home, part)), target]);
  }
  const libraries = readdirSync(join(target, 'lib'), { recursive: true }).map(String);
  return [
    join(target, 'bin', 'java'),
    ...libraries.filter(name => name.endsWith('.so')).map(name => join(target, 'lib', name)),
  ];
}
