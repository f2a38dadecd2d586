/* eslint-disable @typescript-eslint/no-require-imports -- inline programs are rare; only they pay */
import { availableParallelism } from "node:os";
import { decryptDeployment, Deployment, parseCheckpoint } from "../backend/state";
import { Exit, NotSupportedError, UserError } from "../cli/errors";
import { ParsedFlags } from "../cli/flags";
import { emptyDeployment, StackSession, withSecretsProvider } from "../cli/session";
import { Context, OperationOptions } from "../deploy/context";
import { Events, OperationKind } from "../deploy/events";
import { StateStore } from "../deploy/journal";
import {
    openMonitor,
    OpenMonitor,
    Operation,
    Outcome,
    runDestroy,
    runRefresh,
    runUpdate,
} from "../deploy/operation";
import { Program, ProgramRequest, runProgram } from "../deploy/program";
import { onInterrupt } from "./interrupt";
import { OperationConfig } from "./operation-config";
import { pendingCreates, warnOfPending } from "./pending";
import { loadPlugins } from "./plugins";
import { stackOutputs } from "./stack-outputs";

/** The real CLI's default: four steps per processor. */
const STEPS_PER_PROCESSOR = 4;

/** Steps that leave everything as it was: a program that reads another stack changes nothing. */
const NO_CHANGE = new Set(["same", "read", "discard", "read-replacement"]);

/** One operation on one stack, from the lock to the history entry. */
export class Runner {
    readonly #started = Date.now();
    #context: Context | undefined;
    #program: Program | undefined;
    #cancelled = false;
    #unexpected = false;
    #before: Deployment = emptyDeployment();

    constructor(
        private readonly session: StackSession,
        private readonly flags: ParsedFlags,
        private readonly kind: OperationKind,
        private readonly dryRun: boolean,
        private readonly events: Events,
    ) {}

    /** @returns the exit code; what failed is reported to the listeners. */
    async run(): Promise<number> {
        const { backend, ref } = this.session;
        const config = await OperationConfig.load(this.session, this.flags);
        if (this.dryRun) return this.#exitCode(await this.#perform(config));
        const lock = backend.lock(ref);
        await lock.acquire();
        const stopListening = onInterrupt(() => this.#cancel());
        try {
            await backend.backUp(ref);
            const ok = await this.#perform(config);
            await this.#record(ok, config);
            return this.#exitCode(ok);
        } finally {
            stopListening();
            await lock.release();
        }
    }

    #cancel(): void {
        this.#cancelled = true;
        this.events.error("update canceled");
        this.#context?.cancellation.abort();
        this.#context?.stop();
        this.#program?.interrupt();
    }

    #exitCode(ok: boolean): number {
        if (this.#cancelled) return Exit.cancelled;
        if (this.#unexpected) return Exit.changesNotExpected;
        return ok ? Exit.done : Exit.failed;
    }

    async #perform(config: OperationConfig): Promise<boolean> {
        // The program's start takes longest, so everything else happens beside it.
        const running = this.#usesProgram() ? await this.#startProgram(config) : undefined;
        this.#program = running?.program;
        this.events.begin(config.shown);
        let outcome: Outcome;
        try {
            // A wrong passphrase must stop the operation even when there is no secret yet.
            const crypter = await this.session.secrets.crypter();
            const before = await this.#readState();
            this.#before = withSecretsProvider(before, crypter);
            outcome = await this.#dispatch(config, running);
        } catch (error) {
            await running?.program.stop(0);
            running?.monitor.close();
            throw error;
        }
        const ok = outcome.ok && !this.#cancelled && this.#changesAreExpected();
        if (ok && this.flags.flag("exclude-protected") === true) this.#tellProtected();
        this.events.summary({
            changes: this.events.changes,
            durationSeconds: Math.round((Date.now() - this.#started) / 1000),
            isPreview: this.dryRun,
            result: ok ? "succeeded" : "failed",
        });
        return ok;
    }

    #usesProgram(): boolean {
        if (this.kind === "preview" || this.kind === "update") return true;
        if (this.flags.flag("run-program") === true) {
            throw new NotSupportedError(`--run-program of 'pulumi ${this.kind}'`);
        }
        return false;
    }

    async #dispatch(
        config: OperationConfig,
        running: { monitor: OpenMonitor; program: Program } | undefined,
    ): Promise<Outcome> {
        const operation = this.#operation(config);
        if (this.kind === "refresh") {
            return runRefresh(operation, this.#before, pendingCreates(this.flags));
        }
        let deployment = this.#before;
        if (this.flags.flag("refresh") === true) {
            const refreshed = await runRefresh(operation, deployment);
            if (!refreshed.ok) throw new UserError("the refresh failed: nothing was changed");
            deployment = refreshed.deployment;
        }
        warnOfPending(deployment, this.events);
        if (running === undefined) return runDestroy(operation, deployment);
        return runUpdate(operation, deployment, running.monitor, running.program);
    }

    #operation(config: OperationConfig): Operation {
        return {
            options: this.#options(config),
            events: this.events,
            plugins: loadPlugins(),
            store: this.dryRun ? undefined : this.#store(),
            onContext: (context) => {
                this.#context = context;
                if (this.#cancelled) context.stop();
            },
        };
    }

    #store(): StateStore {
        const { backend, ref, secrets } = this.session;
        return {
            write: (deployment) => backend.write(ref, deployment),
            crypter: () => secrets.crypter(),
        };
    }

    #options(config: OperationConfig): OperationOptions {
        const { flags, session } = this;
        return {
            project: session.ref.project,
            stack: session.ref.stack,
            dryRun: this.dryRun,
            parallel: this.#parallel(),
            targets: flags.list("target"),
            targetDependents: flags.flag("target-dependents") === true,
            excludes: flags.list("exclude"),
            excludeProtected: flags.flag("exclude-protected") === true,
            replace: flags.list("replace"),
            continueOnError: flags.flag("continue-on-error") === true,
            packageConfig: (pkg) => config.ofPackage(pkg),
            stackOutputs: (name) => stackOutputs(session, this.#before, name),
        };
    }

    #parallel(): number {
        const given = this.flags.value("parallel");
        if (given === undefined) return availableParallelism() * STEPS_PER_PROCESSOR;
        const count = Number(given);
        if (!Number.isInteger(count) || count < 0) {
            throw new UserError(`invalid argument "${given}" for "--parallel" flag`);
        }
        return Math.max(count, 1);
    }

    async #startProgram(
        config: OperationConfig,
    ): Promise<{ monitor: OpenMonitor; program: Program }> {
        const monitor = await openMonitor();
        const request: ProgramRequest = {
            project: this.session.project,
            stack: this.session.ref.stack,
            dryRun: this.dryRun,
            parallel: this.#parallel(),
            address: monitor.address,
            ...config.forProgram,
        };
        const client = this.flags.value("client");
        if (client === undefined) return { monitor, program: runProgram(request, this.events) };
        const { runInlineProgram } =
            require("../deploy/inline-program") as typeof import("../deploy/inline-program");
        return { monitor, program: runInlineProgram(request, client) };
    }

    async #readState(): Promise<Deployment> {
        const { backend, ref, secrets } = this.session;
        const text = (await backend.readText(ref)) ?? "";
        const latest = parseCheckpoint(text, backend.checkpointFile(ref)).checkpoint.latest;
        if (latest === undefined) return emptyDeployment();
        return decryptDeployment(latest, () => secrets.crypter());
    }

    #tellProtected(): void {
        const left = (this.#before.resources ?? []).filter((state) => state.protect === true);
        const resources = left.length === 1 ? "resource" : "resources";
        const message =
            left.length === 0
                ? "There were no protected resources to exclude."
                : "All unprotected resources were destroyed. There are still " +
                  `${left.length} protected ${resources} associated with this stack.`;
        this.events.diagnostic({ severity: "info", message });
    }

    #changesAreExpected(): boolean {
        if (this.flags.flag("expect-no-changes") !== true) return true;
        const changed = Object.entries(this.events.changes).some(
            ([op, n]) => !NO_CHANGE.has(op) && n > 0,
        );
        this.#unexpected = changed;
        if (changed) this.events.error("no changes were expected but changes occurred");
        return !changed;
    }

    async #record(ok: boolean, config: OperationConfig): Promise<void> {
        const { backend, ref } = this.session;
        const agent = this.flags.value("exec-agent");
        await backend.addHistory(ref, {
            kind: this.kind,
            startTime: Math.floor(this.#started / 1000),
            message: this.flags.value("message") ?? "",
            environment: {
                "exec.kind": this.flags.value("exec-kind") ?? "cli",
                ...(agent === undefined ? {} : { "exec.agent": agent }),
            },
            config: config.raw,
            version: 0,
            result: ok ? "succeeded" : "failed",
            endTime: Math.floor(Date.now() / 1000),
            resourceChanges: this.events.changes,
        });
    }
}
