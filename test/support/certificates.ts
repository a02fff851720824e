import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files of one certificate: PEM. */
export interface Certificate {
  readonly name: string;
  /** Private key, PKCS#8, not encrypted. */
  readonly keyFile: string;
  /** The certificate alone. */
  readonly certificateFile: string;
  /** Key and certificates in one, as `ssl.keystore.location` takes them. */
  readonly pemFile: string;
}

export interface IssueOptions {
  /** Names and addresses the certificate is good for; default: localhost and 127.0.0.1. */
  readonly hosts?: readonly string[];
  readonly kind?: 'rsa' | 'ec';
  /** As openssl takes them: YYYYMMDDHHMMSSZ. Default: from yesterday to tomorrow. */
  readonly from?: string;
  readonly to?: string;
}

const PASSWORD = 'st0re-pass';
const DAY_MS = 86_400_000;

export function openssl(args: readonly string[], input = ''): string {
  return execFileSync('openssl', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}

/** A certificate authority in a directory, and what it has issued. Everything is made by the openssl command. */
export class CertificateAuthority {
  readonly directory: string;
  readonly certificateFile: string;
  readonly #keyFile: string;
  /** Certificates between this authority and the root: part of what it issues. */
  readonly #above: string;
  #issued = 0;

  private constructor(directory: string, certificateFile: string, keyFile: string, above: string) {
    this.directory = directory;
    this.certificateFile = certificateFile;
    this.#keyFile = keyFile;
    this.#above = above;
  }

  static create(directory: string, name: string): CertificateAuthority {
    mkdirSync(directory, { recursive: true });
    const keyFile = join(directory, 'ca.key');
    const certificateFile = join(directory, 'ca.pem');
    openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', keyFile]);
    openssl(['req', '-x509', '-new', '-key', keyFile, '-subj', `/CN=${name}`, '-days', '2', '-out', certificateFile]);
    return new CertificateAuthority(directory, certificateFile, keyFile, '');
  }

  /** An authority below this one. */
  subordinate(name: string): CertificateAuthority {
    const { keyFile, certificateFile } = this.#sign(name, 'basicConstraints=critical,CA:true\n', {});
    const directory = join(this.directory, name);
    mkdirSync(directory);
    return new CertificateAuthority(directory, certificateFile, keyFile, readFileSync(certificateFile, 'utf8'));
  }

  issue(name: string, options: IssueOptions = {}): Certificate {
    const { hosts = ['localhost', '127.0.0.1'] } = options;
    const names = hosts.map(host => (/^[\d.]+$|:/.test(host) ? `IP:${host}` : `DNS:${host}`)).join(',');
    const extensions = `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`;
    const { keyFile, certificateFile } = this.#sign(name, extensions, options);
    const pemFile = join(this.directory, `${name}-${this.#issued}-store.pem`);
    writeFileSync(pemFile, readFileSync(keyFile, 'utf8') + readFileSync(certificateFile, 'utf8') + this.#above);
    return { name, keyFile, certificateFile, pemFile };
  }

  #sign(name: string, extensions: string, { kind = 'ec', from, to }: IssueOptions) {
    const base = join(this.directory, `${name}-${++this.#issued}`);
    const [keyFile, certificateFile] = [`${base}.key`, `${base}.pem`];
    const algorithm = kind === 'ec' ? ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['RSA'];
    openssl(['genpkey', '-algorithm', ...algorithm, '-out', keyFile]);
    openssl(['req', '-new', '-key', keyFile, '-subj', `/O=Samsa/CN=${name}`, '-out', `${base}.csr`]);
    writeFileSync(`${base}.ext`, extensions);
    const policy = `database=${base}.index\nserial=${base}.serial\npolicy=p\n[p]\nO=optional\nCN=supplied\n`;
    writeFileSync(`${base}.conf`, `[ca]\ndefault_ca=d\n[d]\n${policy}`);
    writeFileSync(`${base}.serial`, randomBytes(8).toString('hex'));
    writeFileSync(`${base}.index`, '');
    openssl([
      ...['ca', '-batch', '-notext', '-config', `${base}.conf`, '-md', 'sha256'],
      ...['-keyfile', this.#keyFile, '-cert', this.certificateFile, '-outdir', this.directory],
      ...['-in', `${base}.csr`, '-out', certificateFile, '-extfile', `${base}.ext`],
      ...['-startdate', from ?? opensslTime(Date.now() - DAY_MS), '-enddate', to ?? opensslTime(Date.now() + DAY_MS)],
    ]);
    return { keyFile, certificateFile };
  }
}

export function opensslTime(ms: number): string {
  return `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}

/** A PKCS#12 key store of the certificate; `args` are further ones of `openssl pkcs12 -export`. */
export function keyStoreFile(file: string, { pemFile, keyFile }: Certificate, args: readonly string[] = []): string {
  openssl([
    'pkcs12',
    '-export',
    '-inkey',
    keyFile,
    '-in',
    pemFile,
    '-out',
    file,
    '-passout',
    `pass:${PASSWORD}`,
    ...args,
  ]);
  return file;
}

/** A PKCS#12 store with nothing but a certificate. */
export function trustStoreFile(file: string, certificateFile: string, args: readonly string[] = []): string {
  openssl([
    'pkcs12',
    '-export',
    '-nokeys',
    '-in',
    certificateFile,
    '-out',
    file,
    '-passout',
    `pass:${PASSWORD}`,
    ...args,
  ]);
  return file;
}

/** The password of all stores that are made here. */
export const STORE_PASSWORD = PASSWORD;
