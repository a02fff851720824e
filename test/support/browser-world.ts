import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokerProcess } from './broker-process.ts';
import { CertificateAuthority, type Certificate } from './certificates.ts';
import { Chromium } from './chromium.ts';
import { freePorts } from './free-ports.ts';
import { ZooKeeperProcess } from './zookeeper-process.ts';

/** A broker that serves browsers over TLS, and tests by plain text, and a browser that trusts it. */
export interface BrowserWorld {
  readonly broker: BrokerProcess;
  readonly browser: Chromium;
  /** Where the browser finds the broker. */
  readonly origin: string;
  /** How the test's own clients find it. */
  readonly settings: Readonly<Record<string, string>>;
  /** Kills what still runs and removes the files. */
  close(): Promise<void>;
}

/** @param program the browser */
export async function openBrowserWorld(program: string): Promise<BrowserWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'samsa-'));
  const certificate = CertificateAuthority.create(join(directory, 'authority'), 'Authority').issue('broker');
  const zookeeper = await ZooKeeperProcess.start({ directory: join(directory, 'zookeeper') });
  const [port, inner] = await freePorts(2);
  mkdirSync(join(directory, 'broker'));
  const broker = new BrokerProcess({
    id: 0,
    port: 0,
    zookeeper: zookeeper.connectString,
    directory: join(directory, 'broker'),
    properties: {
      listeners: `PUBLIC://127.0.0.1:${port},INTERNAL://127.0.0.1:${inner}`,
      'advertised.listeners': `PUBLIC://localhost:${port},INTERNAL://127.0.0.1:${inner}`,
      'listener.security.protocol.map': 'PUBLIC:SSL,INTERNAL:PLAINTEXT',
      'inter.broker.listener.name': 'INTERNAL',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': certificate.pemFile,
    },
  });
  await broker.start();
  const browser = await Chromium.start(program, [keyHash(certificate)]);
  return {
    broker,
    browser,
    origin: `https://localhost:${port}`,
    settings: { 'bootstrap.servers': `127.0.0.1:${inner}` },
    async close() {
      await browser.close();
      await broker.kill();
      await zookeeper.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Hash of the broker's public key: the browser trusts it as it would a certificate of an authority that it knows. */
function keyHash({ certificateFile }: Certificate): string {
  const { publicKey } = new X509Certificate(readFileSync(certificateFile));
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}
