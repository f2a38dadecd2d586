import { Deployment } from "../backend/state";
import { Inputs, PluginTable } from "../providers/types";
import { closeCallbacks } from "../rpc/callbacks";
import { engineService } from "../rpc/engine-service";
import { monitorService } from "../rpc/monitor";
import { RpcServer, serve } from "../rpc/server";
import { builtinPlugin } from "./builtin";
import { Context, OperationOptions } from "./context";
import { runDeletes } from "./deletes";
import { Events } from "./events";
import { HookRegistry } from "./hooks";
import { Journal, StateStore } from "./journal";
import { finishStackOutputs } from "./outputs";
import { Program } from "./program";
import { ProviderRegistry } from "./providers";
import { PendingCreates, refresh, settlePendingCreates } from "./refresh";

export interface Operation {
    options: OperationOptions;
    events: Events;
    plugins: PluginTable;
    /** Nowhere to write to: a preview. */
    store: StateStore | undefined;
    /** Told about the context as soon as there is one, to cancel it. */
    onContext(context: Context): void;
}

export interface Outcome {
    ok: boolean;
    outputs: Inputs;
}

function newContext(operation: Operation, deployment: Deployment): Context {
    const { options, events, store } = operation;
    const plugins: PluginTable = {
        ...operation.plugins,
        pulumi: async () => builtinPlugin(options),
    };
    const context = new Context(
        options,
        new Journal(deployment, store),
        events,
        new ProviderRegistry(plugins),
        new HookRegistry(),
        deployment.resources ?? [],
    );
    operation.onContext(context);
    return context;
}

/** A monitor that a program can be pointed at before there is anything behind it. */
export interface OpenMonitor {
    readonly address: string;
    attach(context: Context, signalShutdown: () => Promise<void>): void;
    close(): void;
}

export async function openMonitor(): Promise<OpenMonitor> {
    type Services = Awaited<Parameters<typeof serve>[0]>;
    let provide!: (services: Services) => void;
    const server: RpcServer = await serve(new Promise<Services>((resolve) => (provide = resolve)));
    return {
        address: server.address,
        attach: (context, signalShutdown) =>
            provide({
                monitor: monitorService(context, signalShutdown),
                engine: engineService(context.events),
            }),
        close: () => {
            server.close();
            closeCallbacks();
        },
    };
}

/**
 * `up` and `preview`: serves the running program until it says that it declared everything, then
 * deletes what it did not declare.
 */
export async function runUpdate(
    operation: Operation,
    deployment: Deployment,
    monitor: OpenMonitor,
    program: Program,
): Promise<Outcome> {
    const context = newContext(operation, deployment);
    let release!: () => void;
    const over = new Promise<void>((resolve) => (release = resolve));
    const declared = new Promise<void>((resolve) =>
        monitor.attach(context, () => {
            resolve();
            return over;
        }),
    );
    try {
        const problem = await Promise.race([declared, program.ended, context.untilStopped()]);
        if (typeof problem === "string") {
            if (problem !== "") context.events.error(problem);
            context.stop();
        }
        await context.untilIdle();
        const complete = !context.stopped && !context.events.sawError && problem === undefined;
        if (complete) await runDeletes(context);
        const failed = !complete || context.stopped || context.events.sawError;
        const outputs = finishStackOutputs(context, failed);
        release();
        const late = context.stopped ? undefined : await program.ended;
        if (late !== undefined && late !== "") context.events.error(late);
        await context.journal.close();
        return { ok: !failed && late === undefined, outputs };
    } finally {
        context.stop();
        release();
        await program.stop();
        monitor.close();
    }
}

/** `destroy`: everything the state has, dependents first. */
export async function runDestroy(operation: Operation, deployment: Deployment): Promise<Outcome> {
    const context = newContext(operation, deployment);
    await runDeletes(context);
    await context.journal.close();
    return { ok: !context.stopped && !context.events.sawError, outputs: {} };
}

/** `refresh`, and the first half of an operation with `--refresh`. */
export async function runRefresh(
    operation: Operation,
    deployment: Deployment,
    pending: PendingCreates = { clear: false, imports: new Map() },
): Promise<Outcome & { deployment: Deployment }> {
    const settling = newContext(operation, deployment);
    const settled = await settlePendingCreates(settling, deployment, pending);
    const context = newContext(operation, settled);
    context.journal.rebase(await refresh(context));
    await context.journal.close();
    const ok = !context.stopped && !context.events.sawError;
    return { ok, outputs: {}, deployment: context.journal.snapshot() };
}
