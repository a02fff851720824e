import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, and mostly compute: begun first, they fill the time in which others wait for their processes. */
const LONG = ['simulation.test.ts', 'image.test.ts', 'matrix.test.ts', 'apache-groups.test.ts'];

/** Test files in an order in which the last one does not run alone. */
export default class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex(name => moduleId.endsWith(`/${name}`));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
