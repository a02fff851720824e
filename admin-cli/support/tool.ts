import { Command, CommanderError } from 'commander';
import { VERSION } from '../../shared/version.ts';

/** Wrong use of a tool: printed with its usage, exit status 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A failure whose text is already what the user should see on stdout, in the shape that scripts look for; exit status 1. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure';
  readonly stream: 'stdout' | 'stderr';

  constructor(message: string, stream: 'stdout' | 'stderr' = 'stderr') {
    super(message);
    this.stream = stream;
  }
}

/** A command whose parsing follows Kafka's tools: complete names only, usage on stderr, exit status 1 even for --help. */
export function toolCommand(name: string, summary: string): Command {
  return new Command(name)
    .description(summary)
    .version(VERSION, '--version', 'Display the version.')
    .helpOption('--help', 'Print usage information.')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {}, outputError: () => {} });
}

/** Kafka's tools take `-name value` for `--name value`. The value of an option stays as it is, whatever it begins with. */
function normalise(command: Command, argv: readonly string[]): string[] {
  let isValue = false;
  return argv.map(argument => {
    if (isValue) {
      isValue = false;
      return argument;
    }
    const option = /^-[A-Za-z][\w.-]+(=|$)/.test(argument) ? `-${argument}` : argument;
    isValue = command.options.some(({ long, required: takesValue }) => takesValue && long === option);
    return option;
  });
}

/** Parses the arguments and returns the options. @throws UsageError, also when there are no arguments at all */
export function parseOptions<T extends object>(command: Command, argv: readonly string[]): T {
  if (argv.length === 0) throw new UsageError('');
  try {
    return command.parse(normalise(command, argv), { from: 'user' }).opts<T>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.version') throw new Finished(`${error.message}\n`);
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.help') throw new UsageError('');
    throw new UsageError(translate(error));
  }
}

function translate(error: CommanderError): string {
  const option = /'(-[^' =]*)/.exec(error.message)?.[1]?.replace(/^-+/, '') ?? '';
  switch (error.code) {
    case 'commander.unknownOption':
      return `${option} is not a recognized option`;
    case 'commander.optionMissingArgument':
      return `Option ${option} requires an argument`;
    case 'commander.missingMandatoryOptionValue':
      return `Missing required argument "[${option}]"`;
    default:
      return error.message.replace(/^error: /, '');
  }
}

/** The tool has printed all it has to. */
class Finished extends Error {}

/** Checks that the option is there. @throws UsageError in Kafka's words */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new UsageError(`Missing required argument "[${name}]"`);
  return value;
}

/** Gathers a repeatable option. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/**
 * Parses an integer option.
 * @throws UsageError naming the option, the value and what is allowed
 */
export function integer(name: string, min = -Infinity, max = Infinity): (text: string) => number {
  return text => {
    const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) {
      const range =
        max === Infinity
          ? `an integer${min === -Infinity ? '' : ` from ${min} on`}`
          : `an integer from ${min} to ${max}`;
      throw new UsageError(`Cannot parse argument '${text}' of option ${name}: allowed is ${range}`);
    }
    return value;
  };
}

/** Runs a tool to its end: prints what went wrong as one sentence, sets the exit status, never shows a stack. */
export async function runTool(command: Command, main: (argv: string[]) => Promise<void>): Promise<void> {
  // `… | head` closes our output: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    report(command, error);
  }
}

function report(command: Command, error: unknown): void {
  if (error instanceof Finished) {
    process.stdout.write(error.message);
    return;
  }
  process.exitCode = 1;
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message === '' ? '' : `${error.message}\n`}${command.helpInformation()}`);
  } else if (error instanceof ToolFailure) {
    process[error.stream].write(`${error.message}\n`);
  } else {
    process.stderr.write(`${command.name()}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
