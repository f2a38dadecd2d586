import { ALIASES, COMMANDS, CommandSpec } from "./cli/commands";
import { Exit, NotSupportedError, ReportedError, UserError } from "./cli/errors";
import { parseFlags } from "./cli/flags";

/** Runs one command line of the stand-in for `pulumi` and resolves to its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
    try {
        const { name, spec, rest } = findCommand(argv);
        const flags = parseFlags(name, rest, spec.flags);
        const folder = flags.value("cwd");
        if (folder !== undefined) process.chdir(folder);
        if (flags.flag("help") === true) printHelp(name, spec);
        else await spec.load()(flags);
        return Number(process.exitCode ?? 0);
    } catch (error) {
        return report(error);
    }
}

/** The longest run of words that names a command; flags may come between them. */
function findCommand(argv: readonly string[]): { name: string; spec: CommandSpec; rest: string[] } {
    if (argv.length === 1 && argv[0] === "--version") return findCommand(["version"]);
    const words: string[] = [];
    let rest = [...argv];
    let found: { name: string; spec: CommandSpec; rest: string[] } | undefined;
    for (const [index, word] of argv.entries()) {
        if (word.startsWith("-")) break;
        words.push(words.length === 0 ? (ALIASES[word] ?? word) : word);
        rest = argv.slice(index + 1);
        const name = words.join(" ");
        const spec = COMMANDS[name];
        if (spec !== undefined) found = { name, spec, rest };
    }
    if (found === undefined) {
        const name = words.length === 0 ? (argv[0] ?? "") : words.join(" ");
        throw name === ""
            ? new UserError("no command is given; see docs/stand-in.md for those there are")
            : new NotSupportedError(`command 'pulumi ${name}'`);
    }
    refuseUnknownVerb(found.name, found.rest);
    return found;
}

/** `pulumi stack rename x` must not run `pulumi stack` with two arguments. */
function refuseUnknownVerb(name: string, rest: readonly string[]): void {
    const group = Object.keys(COMMANDS).some((other) => other.startsWith(`${name} `));
    const [verb] = rest;
    if (group && verb !== undefined && !verb.startsWith("-")) {
        throw new NotSupportedError(`command 'pulumi ${name} ${verb}'`);
    }
}

function printHelp(name: string, spec: CommandSpec): void {
    const lines = Object.entries(spec.flags).map(([flag, kind]) =>
        kind === "boolean" ? `  --${flag}` : `  --${flag} <${kind}>`,
    );
    console.log(["stand-in engine for the Pulumi CLI", `pulumi ${name}`, ...lines].join("\n"));
}

function report(error: unknown): number {
    if (error instanceof ReportedError) return error.exitCode;
    if (error instanceof UserError) {
        console.error(`error: ${error.message}`);
        return error.exitCode;
    }
    console.error(error);
    return Exit.internal;
}
