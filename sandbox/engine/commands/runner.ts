/* eslint-disable @typescript-eslint/no-require-imports -- what few operations need is loaded when they need it */
import { availableParallelism } from "node:os";
import { parseStackReference, qualifiedName } from "../backend/backend";
import { decryptDeployment, Deployment, parseCheckpoint } from "../backend/state";
import { NotSupportedError, UserError } from "../cli/errors";
import { ParsedFlags } from "../cli/flags";
import { emptyDeployment, StackSession, withSecretsProvider } from "../cli/session";
import { Context, OperationOptions } from "../deploy/context";
import { Events, OperationKind } from "../deploy/events";
import { StateStore } from "../deploy/journal";
import {
    openMonitor,
    Operation,
    OpenMonitor,
    Outcome,
    runDestroy,
    runRefresh,
    runUpdate,
} from "../deploy/operation";
import { Program, ProgramRequest, runProgram } from "../deploy/program";
import { PendingCreates } from "../deploy/refresh";
import { isStackUrn } from "../deploy/urn";
import { Inputs } from "../providers/types";
import { JsonObject, makeSecret } from "../values/values";
import { applyProjectConfig, ConfigValue, decodeConfig, hasSecret } from "../workspace/config";
import { loadPlugins } from "./plugins";
import { onInterrupt } from "./interrupt";

/** The real CLI's default: four steps per processor. */
const STEPS_PER_PROCESSOR = 4;

/** One operation on one stack, from the lock to the history entry. */
export class Runner {
    readonly #started = Date.now();
    #context: Context | undefined;
    #cancelled = false;
    #before: Deployment = emptyDeployment();

    constructor(
        private readonly session: StackSession,
        private readonly flags: ParsedFlags,
        private readonly kind: OperationKind,
        private readonly dryRun: boolean,
        private readonly events: Events,
    ) {}

    /** @returns whether it succeeded; what failed is reported to the listeners. */
    async run(): Promise<boolean> {
        const { backend, ref } = this.session;
        const raw = this.#rawConfig();
        if (this.dryRun) return this.#perform(raw);
        const lock = backend.lock(ref);
        await lock.acquire();
        const stopListening = onInterrupt(() => this.#cancel());
        try {
            await backend.backUp(ref);
            const ok = await this.#perform(raw);
            await this.#record(ok, raw);
            return ok;
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
    }

    async #perform(raw: JsonObject): Promise<boolean> {
        const config = await this.#decodedConfig(raw);
        // The program's start takes longest, so everything else happens beside it.
        const running = this.#usesProgram() ? await this.#startProgram(config) : undefined;
        this.events.begin(this.#shownConfig(config));
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
        config: Map<string, ConfigValue>,
        running: { monitor: OpenMonitor; program: Program } | undefined,
    ): Promise<Outcome> {
        const operation = this.#operation(config);
        if (this.kind === "refresh") {
            return runRefresh(operation, this.#before, this.#pendingCreates());
        }
        let deployment = this.#before;
        if (this.flags.flag("refresh") === true) {
            const refreshed = await runRefresh(operation, deployment);
            if (!refreshed.ok) throw new UserError("the refresh failed: nothing was changed");
            deployment = refreshed.deployment;
        }
        this.#warnOfPending(deployment);
        if (running === undefined) return runDestroy(operation, deployment);
        return runUpdate(operation, deployment, running.monitor, running.program);
    }

    #operation(config: Map<string, ConfigValue>): Operation {
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

    #options(config: Map<string, ConfigValue>): OperationOptions {
        const { flags, session } = this;
        return {
            project: session.ref.project,
            stack: session.ref.stack,
            dryRun: this.dryRun,
            parallel: this.#parallel(),
            targets: flags.list("target"),
            targetDependents: flags.flag("target-dependents") === true,
            excludes: flags.list("exclude"),
            replace: flags.list("replace"),
            continueOnError: flags.flag("continue-on-error") === true,
            packageConfig: (pkg) => packageConfig(pkg, config),
            stackOutputs: (name) => this.#stackOutputs(name),
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

    /** Config as the stack file has it, with the project's defaults and the command's `--config`. */
    #rawConfig(): JsonObject {
        const { project, ref, settings } = this.session;
        const raw = { ...settings.config };
        for (const pair of this.flags.list("config")) {
            const at = pair.indexOf("=");
            if (at < 0)
                throw new UserError(`config value must be in the form key=value, got '${pair}'`);
            const key = pair.slice(0, at);
            raw[key.includes(":") ? key : `${project.name}:${key}`] = pair.slice(at + 1);
        }
        return applyProjectConfig(raw, project.config, project.name, ref.stack);
    }

    async #decodedConfig(raw: JsonObject): Promise<Map<string, ConfigValue>> {
        const entries = Object.entries(raw);
        const sealed = entries.some(([, value]) => hasSecret(value));
        const crypter = sealed ? await this.session.secrets.crypter() : undefined;
        return new Map(entries.map(([key, value]) => [key, decodeConfig(value, crypter)]));
    }

    #shownConfig(config: Map<string, ConfigValue>): Record<string, string> {
        return Object.fromEntries(
            [...config].map(([key, { text, secret }]) => [key, secret ? "[secret]" : text]),
        );
    }

    async #startProgram(
        config: Map<string, ConfigValue>,
    ): Promise<{ monitor: OpenMonitor; program: Program }> {
        const monitor = await openMonitor();
        const request: ProgramRequest = {
            project: this.session.project,
            stack: this.session.ref.stack,
            dryRun: this.dryRun,
            parallel: this.#parallel(),
            address: monitor.address,
            config: Object.fromEntries([...config].map(([key, { text }]) => [key, text])),
            secretKeys: [...config].filter(([, { secret }]) => secret).map(([key]) => key),
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

    /** Another stack's outputs, or this one's as they were before the operation. */
    async #stackOutputs(name: string): Promise<Inputs | undefined> {
        const { backend, ref, secrets, project } = this.session;
        const wanted = parseStackReference(name, project.name);
        if (qualifiedName(wanted) === qualifiedName(ref)) return outputsOf(this.#before);
        const latest = (await backend.read(wanted))?.checkpoint.latest;
        if (latest === undefined) return undefined;
        // Another stack's secrets are sealed with its own salt.
        const salt = (latest.secrets_providers?.state as { salt?: string } | undefined)?.salt;
        const { openCrypter } =
            require("../secrets/passphrase") as typeof import("../secrets/passphrase");
        const crypter = (): ReturnType<typeof openCrypter> =>
            salt === undefined ? secrets.crypter() : openCrypter(salt);
        return outputsOf(await decryptDeployment(latest, crypter));
    }

    #pendingCreates(): PendingCreates {
        const pairs = this.flags.list("import-pending-creates").flatMap((item) => item.split(","));
        if (pairs.length % 2 !== 0) {
            throw new UserError("--import-pending-creates takes pairs: <urn> <id>");
        }
        const imports = new Map<string, string>();
        for (let i = 0; i < pairs.length; i += 2) imports.set(pairs[i] ?? "", pairs[i + 1] ?? "");
        return { clear: this.flags.flag("clear-pending-creates") === true, imports };
    }

    #warnOfPending(deployment: Deployment): void {
        const pending = deployment.pending_operations ?? [];
        if (pending.length === 0) return;
        const list = pending.map(
            ({ resource, type }) => `\n  * ${resource.urn}, interrupted while ${type}`,
        );
        this.events.diagnostic({
            severity: "warning",
            message:
                `Attempting to deploy or update resources with ${pending.length} pending operations ` +
                `from previous deployment.${list.join("")}\nThese resources are in an unknown state ` +
                "because the engine was interrupted while waiting for changes to these resources to " +
                "complete. Confirm whether the operations completed, then run `pulumi refresh`: " +
                "`--import-pending-creates <urn> --import-pending-creates <id>` takes a created " +
                "object into the state, `--clear-pending-creates` forgets it.",
        });
    }

    #changesAreExpected(): boolean {
        if (this.flags.flag("expect-no-changes") !== true) return true;
        const changed = Object.entries(this.events.changes).some(
            ([op, n]) => op !== "same" && n > 0,
        );
        if (changed) this.events.error("no changes were expected but changes occurred");
        return !changed;
    }

    async #record(ok: boolean, raw: JsonObject): Promise<void> {
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
            config: raw,
            version: 0,
            result: ok ? "succeeded" : "failed",
            endTime: Math.floor(Date.now() / 1000),
            resourceChanges: this.events.changes,
        });
    }
}

function outputsOf(deployment: Deployment): Inputs {
    return (deployment.resources ?? []).find(({ urn }) => isStackUrn(urn))?.outputs ?? {};
}

function packageConfig(pkg: string, config: Map<string, ConfigValue>): Inputs {
    const inputs: Inputs = {};
    for (const [key, { text, secret }] of config) {
        const [namespace, name = ""] = key.split(":");
        if (namespace === pkg) inputs[name] = secret ? makeSecret(text) : text;
    }
    return inputs;
}
