import {
    ConcurrentUpdateError,
    type ConfigMap,
    type EngineEvent,
    LocalWorkspace,
    type OutputMap,
    type PulumiCommand,
    type Stack,
} from "@pulumi/pulumi/automation";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors";
import { now } from "../prober";
import { type Change, changeOf } from "./changes";
import type { Scratch } from "./scratch";

/** One run of an engine command. */
export interface Run {
    /** Milliseconds since the epoch: start and end of the engine's process. */
    from: number;
    to: number;
    /** Seconds of wall time of the engine's process, start of node included. */
    seconds: number;
    /** What it created, updated, replaced or deleted (or would, in a preview). */
    changes: Change[];
    stdout: string;
}

/**
 * A stack in a scratch folder, driven through the Automation API. Secrets are never asked for: every
 * call has `showSecrets: false`.
 */
export interface DemoStack {
    readonly name: string;
    /** Sets plain config values, `path` keys as in `pulumi config set --path`. */
    configure(values: Record<string, string>): Promise<void>;
    /** @throws CliError with the engine's own error lines */
    up(): Promise<Run>;
    /** @throws CliError with the engine's own error lines */
    preview(): Promise<Run>;
    outputs(): Promise<OutputMap>;
    /** Destroys all resources and removes the stack, also after an update that was cut off. */
    destroy(): Promise<void>;
}

/**
 * How long an engine that got the terminal's Ctrl-C has to end by itself before it is told again: on
 * the second signal it stops waiting for resources, and may leave its lock behind.
 */
const SECOND_SIGNAL_AFTER_MS = 3_000;

/** Creates (or selects) stack `name` in the scratch folder. */
export async function openStack(
    scratch: Scratch,
    name: string,
    command: PulumiCommand,
    signal?: AbortSignal,
): Promise<DemoStack> {
    const timed = timedCommand(command);
    const stack = await LocalWorkspace.createOrSelectStack(
        { stackName: name, workDir: scratch.folder },
        { pulumiCommand: timed.command, envVars: scratch.env },
    );
    const late = signal ? delayed(signal, SECOND_SIGNAL_AFTER_MS) : undefined;
    return {
        name,
        configure: (values) => configure(stack, values),
        up: () =>
            run(timed, "up", (onEvent) => stack.up({ onEvent, signal: late, showSecrets: false })),
        preview: () =>
            run(timed, "preview", (onEvent) =>
                stack.preview({ onEvent, signal: late, diff: true }),
            ),
        outputs: () => stack.outputs(),
        destroy: () => destroy(stack),
    };
}

async function configure(stack: Stack, values: Record<string, string>): Promise<void> {
    const config: ConfigMap = {};
    for (const [key, value] of Object.entries(values)) config[key] = { value };
    await stack.setAllConfig(config, true);
}

async function run(
    timed: TimedCommand,
    verb: "up" | "preview",
    work: (onEvent: (event: EngineEvent) => void) => Promise<{ stdout: string }>,
): Promise<Run> {
    const changes: Change[] = [];
    const errors: string[] = [];
    const onEvent = (event: EngineEvent) => {
        const change = changeOf(event);
        if (change) changes.push(change);
        const message = event.diagnosticEvent;
        if (message?.severity === "error") errors.push(message.message.trim());
    };
    let stdout: string;
    try {
        ({ stdout } = await work(onEvent));
    } catch (error) {
        throw new CliError(`pulumi ${verb} failed:\n${reasons(errors, error)}`);
    }
    const { from, to } = timed.last(verb);
    return { from, to, seconds: (to - from) / 1_000, changes, stdout };
}

function reasons(errors: readonly string[], error: unknown): string {
    if (errors.length > 0) return [...new Set(errors)].join("\n");
    return error instanceof Error ? error.message : String(error);
}

async function destroy(stack: Stack): Promise<void> {
    try {
        await stack.destroy({ showSecrets: false });
    } catch (error) {
        if (!(error instanceof ConcurrentUpdateError)) throw error;
        // The lock of an update that was cut off: nobody else uses this backend.
        await stack.cancel();
        await stack.destroy({ showSecrets: false, refresh: true });
    }
    await stack.workspace.removeStack(stack.name);
}

interface TimedCommand {
    command: PulumiCommand;
    last(verb: string): { from: number; to: number };
}

/**
 * The command with each process timed. `Stack.up` also reads outputs and history in processes of
 * their own, which a user at the terminal does not pay for.
 */
function timedCommand(command: PulumiCommand): TimedCommand {
    const spans = new Map<string, { from: number; to: number }>();
    type Runner = { run(args: string[], ...rest: unknown[]): Promise<unknown> };
    const run: Runner["run"] = async (args, ...rest) => {
        const from = now();
        try {
            return await (command as unknown as Runner).run(args, ...rest);
        } finally {
            if (args[0]) spans.set(args[0], { from, to: now() });
        }
    };
    return {
        command: new Proxy(command, {
            get: (target, key) => (key === "run" ? run : (Reflect.get(target, key) as unknown)),
        }),
        last: (verb) => spans.get(verb) ?? { from: 0, to: 0 },
    };
}

/** Aborts `milliseconds` after `signal` does. */
function delayed(signal: AbortSignal, milliseconds: number): AbortSignal {
    const controller = new AbortController();
    signal.addEventListener("abort", () => {
        void sleep(milliseconds, undefined, { ref: false }).then(() =>
            controller.abort(signal.reason),
        );
    });
    return controller.signal;
}
