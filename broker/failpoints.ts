import { FAILPOINTS, type Failpoint, type Failpoints } from './controller/failpoints.ts';

/**
 * For tests of crashes: SAMSA_FAILPOINT=<name> kills this process, as kill -9 would, when its controller comes by that
 * place. undefined when the variable is not set, which is always so in production.
 * @throws Error for a name that does not exist
 */
export function failpointsFrom(environment: NodeJS.ProcessEnv): Failpoints | undefined {
  const wanted = environment.SAMSA_FAILPOINT;
  if (wanted === undefined || wanted === '') return undefined;
  if (!FAILPOINTS.includes(wanted as Failpoint))
    throw new Error(`SAMSA_FAILPOINT=${wanted} does not exist; there are ${FAILPOINTS.join(', ')}`);
  return {
    hit(name) {
      if (name === wanted) process.kill(process.pid, 'SIGKILL');
    },
  };
}
