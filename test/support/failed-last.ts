import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestModule } from 'vitest/node';

/** How much of a failure's message is shown. */
const SHOWN_CHARACTERS = 400;

/** Ends a run that failed with a line for each failure: what one looks for first in a long log, where one looks first. */
export default class FailedLast implements Reporter {
  #lines: string[] = [];

  constructor() {
    process.once('exit', () => {
      if (this.#lines.length > 0) console.error(['Failed:', ...this.#lines].join('\n'));
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly { readonly message: string }[]): void {
    this.#lines = [...modules.flatMap(failuresOf), ...unhandled.map(error => line('not in a test', error.message))];
  }
}

function failuresOf(module: TestModule): string[] {
  const where = `${module.project.name} ${module.relativeModuleId}`;
  const ofModule = module.errors().map(error => line(where, error.message));
  const ofTests = [...module.children.allTests('failed')].map(test =>
    line(`${where} > ${test.fullName}`, test.result().errors?.[0]?.message ?? 'no message'),
  );
  const ofSuites = [...module.children.allSuites()].flatMap(suite =>
    suite.errors().map(error => line(`${where} > ${suite.fullName}`, error.message)),
  );
  return [...ofModule, ...ofSuites, ...ofTests];
}

function line(where: string, message: string): string {
  const oneLine = stripVTControlCharacters(message).replaceAll(/\s+/g, ' ').trim();
  return `- ${where}: ${oneLine.slice(0, SHOWN_CHARACTERS)}`;
}
