/* eslint-disable @typescript-eslint/no-require-imports -- verbs are loaded when they are called, and
   a native import() in a CommonJS file does not find .ts files */
import { Command, CommanderError } from "commander";
import { CliError, ExitCode } from "./errors";

/**
 * The verbs, each in a file of its own that is loaded only when its verb is called: a `status` must
 * not pay for what `demo` needs.
 */
const VERBS: Record<string, { summary: string; load: () => { register(command: Command): void } }> =
    {
        bench: {
            summary: "how fast it is, against the limits it promises; writes out/bench.json",
            load: () => require("./commands/bench"),
        },
        demo: {
            summary:
                "a blue/green switch under load, from a bare machine; writes out/demo.{json,html}",
            load: () => require("./commands/demo"),
        },
        sandbox: {
            summary: "a real Kubernetes on this machine: up, down, status, logs",
            load: () => require("./commands/sandbox"),
        },
    };

/** Builds the command tree; only the verb that `argv` names is loaded. */
export async function createProgram(verb: string | undefined): Promise<Command> {
    const program = new Command("cutover")
        .description("Releases of APIs on Kubernetes through Pulumi")
        .exitOverride()
        .showSuggestionAfterError();
    for (const [name, { summary, load }] of Object.entries(VERBS)) {
        const command = program.command(name).description(summary).exitOverride();
        if (name === verb) load().register(command);
    }
    return program;
}

/** Runs one command line and sets the exit code; a user's mistake is one message, without a stack. */
export async function main(argv: readonly string[]): Promise<void> {
    try {
        const program = await createProgram(argv[2]);
        await program.parseAsync([...argv]);
    } catch (error) {
        process.exitCode = report(error);
    }
}

function report(error: unknown): number {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ExitCode.usage;
    if (error instanceof CliError) {
        console.error(`cutover: ${error.message}`);
        return error.code;
    }
    console.error(error);
    return ExitCode.failed;
}
