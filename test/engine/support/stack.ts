import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as grpc from "@grpc/grpc-js";
import * as automationServer from "@pulumi/pulumi/automation/server";
import * as languageRpc from "@pulumi/pulumi/proto/language_grpc_pb";
import {
    Checkpoint,
    decryptDeployment,
    ResourceState,
} from "../../../sandbox/engine/backend/state";
import { COMMANDS } from "../../../sandbox/engine/cli/commands";
import { parseFlags } from "../../../sandbox/engine/cli/flags";
import { openStack, StackSession } from "../../../sandbox/engine/cli/session";
import { main } from "../../../sandbox/engine/main";
import { Runner } from "../../../sandbox/engine/commands/runner";
import {
    Diagnostic,
    Events,
    Listener,
    OperationKind,
    Step,
} from "../../../sandbox/engine/deploy/events";
import { Json } from "../../../sandbox/engine/providers/types";

// The SDK's own server for inline programs; its types are internal.
const { LanguageServer } = automationServer as unknown as {
    LanguageServer: new (program: () => Promise<unknown>) => grpc.UntypedServiceImplementation;
};

export const REPOSITORY = path.join(__dirname, "..", "..", "..");
export const PASSPHRASE = "correct horse";

/** The environment of every engine a test starts, in this process or in another. */
export function environment(folder: string): Record<string, string> {
    return {
        PULUMI_BACKEND_URL: `file://${path.join(folder, "backend")}`,
        PULUMI_HOME: path.join(folder, "home"),
        PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
        PULUMI_NODEJS_TRANSPILE_ONLY: "true",
        CUTOVER_ENGINE_TEST_PLUGINS: path.join(__dirname, "file-provider.ts"),
        CUTOVER_ENGINE_TEST_WORLD: path.join(folder, "world"),
    };
}

/** What one operation did. */
export interface Result {
    ok: boolean;
    code: number;
    /** `create a`, `update b` … for every step that was no `same`, in the order they ended. */
    steps: string[];
    done: Step[];
    changes: Record<string, number>;
    errors: string[];
    warnings: string[];
    messages: string[];
    outputs: Record<string, Json>;
}

export type Program = () =>
    Promise<Record<string, unknown> | void> | Record<string, unknown> | void;

/**
 * A stack in a folder of its own whose programs run in this process, against the engine in this
 * process: the protocol between them is the real one, over a socket, without starting anything.
 */
export class TestStack {
    readonly folder: string;
    readonly world: string;
    #session: StackSession | undefined;
    #backend: string | undefined;

    private constructor(readonly project: string) {
        this.folder = mkdtempSync(path.join(tmpdir(), "cutover-engine-"));
        this.world = path.join(this.folder, "world");
        for (const name of ["backend", "home", "world"]) mkdirSync(path.join(this.folder, name));
        symlinkSync(path.join(REPOSITORY, "node_modules"), path.join(this.folder, "node_modules"));
        writeFileSync(
            path.join(this.folder, "Pulumi.yaml"),
            `name: ${project}\nruntime:\n  name: nodejs\n`,
        );
    }

    static async create(name = "dev", project = "sample"): Promise<TestStack> {
        const stack = new TestStack(project);
        await stack.pulumi("stack", "init", name);
        return stack;
    }

    dispose(): void {
        rmSync(this.folder, { recursive: true, force: true });
    }

    file(name: string): string {
        return path.join(this.folder, name);
    }

    /** Runs a command line in this process. @returns its exit code and what it printed */
    async pulumi(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
        return this.#inside(async () => {
            const captured = capture();
            try {
                const code = await main(argv);
                return { code, ...captured.stop() };
            } finally {
                captured.stop();
                process.exitCode = undefined;
            }
        });
    }

    up(program: Program, ...argv: string[]): Promise<Result> {
        return this.run("update", false, program, argv);
    }

    preview(program: Program, ...argv: string[]): Promise<Result> {
        return this.run("preview", true, program, argv);
    }

    refresh(...argv: string[]): Promise<Result> {
        return this.run("refresh", false, undefined, argv);
    }

    destroy(...argv: string[]): Promise<Result> {
        return this.run("destroy", false, undefined, argv);
    }

    async run(
        kind: OperationKind,
        dryRun: boolean,
        program: Program | undefined,
        argv: string[],
    ): Promise<Result> {
        return this.#inside(async () => {
            const server = program === undefined ? undefined : await servePrograms(program);
            const client = server === undefined ? [] : [`--client=${server.address}`];
            const verb = kind === "update" ? "up" : kind;
            const flags = parseFlags(verb, [...argv, ...client], COMMANDS[verb]?.flags ?? {});
            // The key of a passphrase takes long to derive, so one session serves all operations.
            this.#session ??= await openStack(flags);
            const recorder = new Recorder();
            const events = new Events(kind, [recorder]);
            try {
                const runner = new Runner(this.#session, flags, kind, dryRun, events);
                const code = await runner.run();
                return { ...recorder.result(), ok: code === 0, code, changes: events.changes };
            } finally {
                server?.close();
            }
        });
    }

    /** The state file as it is on disk. */
    checkpoint(name = "dev"): Checkpoint {
        const file = path.join(this.folder, "backend/.pulumi/stacks", this.project, `${name}.json`);
        return JSON.parse(readFileSync(file, "utf8")) as Checkpoint;
    }

    /** Resources of the state with secrets opened, without default providers. */
    async resources(): Promise<ResourceState[]> {
        const latest = this.checkpoint().checkpoint.latest;
        if (latest === undefined || this.#session === undefined) return [];
        const session = this.#session;
        const opened = await decryptDeployment(latest, () => session.secrets.crypter());
        return (opened.resources ?? []).filter(
            (state) => !state.type.startsWith("pulumi:providers"),
        );
    }

    async resource(name: string): Promise<ResourceState> {
        const found = (await this.resources()).filter((state) => state.urn.endsWith(`::${name}`));
        if (found.length !== 1) throw new Error(`${found.length} resources are named ${name}`);
        return found[0] as ResourceState;
    }

    /** What the test provider did, line by line. */
    log(): string[] {
        try {
            return readFileSync(path.join(this.world, "log.txt"), "utf8").trim().split("\n");
        } catch {
            return [];
        }
    }

    forgetLog(): void {
        rmSync(path.join(this.world, "log.txt"), { force: true });
    }

    /** Lets another stack's backend be this one's for a while. */
    async withBackend<T>(url: string, work: () => Promise<T>): Promise<T> {
        this.#backend = url;
        this.#session = undefined;
        try {
            return await work();
        } finally {
            this.#backend = undefined;
            this.#session = undefined;
        }
    }

    async #inside<T>(work: () => Promise<T>): Promise<T> {
        const folder = process.cwd();
        const before = { ...process.env };
        Object.assign(process.env, environment(this.folder));
        if (this.#backend !== undefined) process.env["PULUMI_BACKEND_URL"] = this.#backend;
        process.chdir(this.folder);
        try {
            return await work();
        } finally {
            process.chdir(folder);
            process.env = before;
        }
    }
}

class Recorder implements Listener {
    readonly #done: Step[] = [];
    readonly #diagnostics: Diagnostic[] = [];

    after(step: Step): void {
        this.#done.push(step);
    }

    diagnostic(diagnostic: Diagnostic): void {
        this.#diagnostics.push(diagnostic);
    }

    result(): Omit<Result, "ok" | "code" | "changes"> {
        const messages = (severity: string): string[] =>
            this.#diagnostics
                .filter((diagnostic) => diagnostic.severity === severity)
                .map(({ message }) => message);
        const steps = this.#done.filter(
            ({ op, resultOp, type }) =>
                (resultOp ?? op) !== "same" && !type.startsWith("pulumi:providers"),
        );
        const stack = this.#done.find(({ type }) => type === "pulumi:pulumi:Stack")?.next;
        return {
            done: this.#done,
            steps: steps.map(({ op, resultOp, urn }) => `${resultOp ?? op} ${nameOf(urn)}`),
            errors: messages("error"),
            warnings: messages("warning"),
            messages: messages("info"),
            outputs: stack?.outputs ?? {},
        };
    }
}

export function nameOf(urn: string): string {
    return urn.slice(urn.lastIndexOf("::") + 2);
}

async function servePrograms(program: Program): Promise<{ address: string; close(): void }> {
    const server = new grpc.Server();
    const language = new LanguageServer(async () => (await program()) ?? {});
    server.addService(languageRpc.LanguageRuntimeService, language);
    const port = await new Promise<number>((resolve, reject) =>
        server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
            error === null ? resolve(bound) : reject(error),
        ),
    );
    return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

/** Collects what this process prints until it is stopped. */
function capture(): { stop(): { stdout: string; stderr: string } } {
    const text = { stdout: "", stderr: "" };
    const restore = (["stdout", "stderr"] as const).map((name) => {
        const stream = process[name];
        const write = stream.write.bind(stream);
        stream.write = (chunk: string | Uint8Array) => {
            text[name] += String(chunk);
            return true;
        };
        return () => {
            stream.write = write;
        };
    });
    return {
        stop() {
            for (const undo of restore.splice(0)) undo();
            return text;
        },
    };
}
