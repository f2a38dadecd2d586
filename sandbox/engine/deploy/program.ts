import { ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire, getCompileCacheDir } from "node:module";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { UserError } from "../cli/errors";
import { Project } from "../workspace/project";
import { Events } from "./events";
import { stackUrn } from "./urn";

const TYPESCRIPT_HOOK = path.join(__dirname, "..", "typescript-hook.js");

/** The SDK's exit code for "the user has seen what is wrong". */
const REPORTED = 32;
const MINIMUM_NODE = 22;
/** How long an ended operation waits for its program before it kills it. */
const EXIT_DEADLINE_MS = 5_000;

export interface ProgramRequest {
    project: Project;
    stack: string;
    dryRun: boolean;
    parallel: number;
    address: string;
    config: Record<string, string>;
    secretKeys: string[];
}

export interface Program {
    /** Resolves when the program ended: with an error's text, "" if it is reported, or undefined. */
    readonly ended: Promise<string | undefined>;
    /** Asks the program to end: what it still does, such as a hook that waits, fails. */
    interrupt(): void;
    /** Waits a little for the program to end (`graceMs`, 5 s if absent), then kills it. */
    stop(graceMs?: number): Promise<void>;
}

/** Runs the project's program as the real language host does: in the SDK's own runner. */
export function runProgram(request: ProgramRequest, events: Events): Program {
    const { project, stack } = request;
    const { folder, entry } = entryPoint(project);
    const runner = locateRunner(folder);
    const hooked = usesHook(project, folder);
    const child = spawn(
        nodePath(),
        [
            ...nodeArguments(project),
            ...(hooked ? ["--require", TYPESCRIPT_HOOK] : []),
            runner,
            ...["--monitor", request.address],
            ...["--engine", request.address],
            ...["--organization", "organization"],
            ...["--project", project.name],
            ...["--root-directory", project.root],
            ...["--stack", stack],
            ...["--pwd", folder],
            ...(request.dryRun ? ["--dry-run"] : []),
            ...["--parallel", String(request.parallel)],
            entry,
        ],
        {
            stdio: ["ignore", "pipe", "pipe"],
            env: environment(request, hooked ? runner : undefined),
            cwd: folder,
        },
    );
    const urn = stackUrn(stack, project.name);
    forward(child, "stdout", (message) => events.diagnostic({ urn, severity: "info", message }));
    forward(child, "stderr", (message) =>
        events.diagnostic({ urn, severity: "info#err", message }),
    );
    const ended = new Promise<string | undefined>((resolve) => {
        child.on("error", (error) => resolve(`could not start the program: ${error.message}`));
        child.on("close", (code, signal) => {
            if (code === 0) resolve(undefined);
            else if (code === REPORTED) resolve("");
            else if (signal !== null) resolve(`Program was ended by ${signal}`);
            else resolve(`Program exited with non-zero exit code: ${code ?? "?"}`);
        });
    });
    return {
        ended,
        interrupt: () => void child.kill("SIGINT"),
        async stop(graceMs = EXIT_DEADLINE_MS) {
            const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
            await ended;
            clearTimeout(timer);
        },
    };
}

/** `main` may be a file or a folder; without it the SDK looks for the entry itself. */
function entryPoint(project: Project): { folder: string; entry: string } {
    const main = path.join(project.root, project.main);
    if (project.main === "" || (existsSync(main) && statSync(main).isDirectory())) {
        return { folder: main, entry: "." };
    }
    return { folder: path.dirname(main), entry: path.basename(main) };
}

function locateRunner(folder: string): string {
    try {
        return createRequire(path.join(folder, "index.js")).resolve("@pulumi/pulumi/cmd/run");
    } catch {
        throw new UserError(
            `the Pulumi SDK is not installed in ${folder}: run 'npm install' there ` +
                "(@pulumi/pulumi was not found)",
        );
    }
}

/** This process's node is new enough for the SDK; the PATH's may not be. */
function nodePath(): string {
    const major = Number(process.versions.node.split(".")[0]);
    if (major < MINIMUM_NODE) throw new UserError(`node ${MINIMUM_NODE} or newer is needed`);
    return process.execPath;
}

function nodeArguments(project: Project): string[] {
    const text = project.runtimeOptions["nodeargs"];
    return typeof text === "string" && text !== "" ? text.split(/\s+/) : [];
}

/**
 * TypeScript programs are loaded with the engine's own transpile cache instead of the SDK's ts-node,
 * which loads the compiler on every start. An ES module program needs the SDK's loader.
 */
function usesHook(project: Project, folder: string): boolean {
    if (project.runtimeOptions["typescript"] === false) return false;
    const manifest = path.join(folder, "package.json");
    if (!existsSync(manifest)) return true;
    const { type } = JSON.parse(readFileSync(manifest, "utf8")) as { type?: string };
    return type !== "module";
}

/** @param runner the SDK's runner, if the transpile hook is used */
function environment(request: ProgramRequest, runner: string | undefined): NodeJS.ProcessEnv {
    const { runtimeOptions } = request.project;
    const typescript = runtimeOptions["typescript"] !== false && runner === undefined;
    const config = Object.entries(request.config).map(([key, value]) => {
        const [namespace, name] = key.split(":");
        return [`${namespace}:config:${name}`, value];
    });
    const compiled = getCompileCacheDir();
    return {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(config)),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.secretKeys),
        ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: programCache(compiled) }),
        ...(runner === undefined ? {} : { CUTOVER_PROGRAM_RUNNER: runner }),
        ...(typescript ? { PULUMI_NODEJS_TYPESCRIPT: "true" } : {}),
        ...(typeof runtimeOptions["tsconfig"] === "string"
            ? { PULUMI_NODEJS_TSCONFIG_PATH: runtimeOptions["tsconfig"] }
            : {}),
    };
}

/**
 * The program's cache of compiled code, beside the engine's. Not the same: the SDK sets a flag of V8,
 * which refuses code that was compiled without it, so the two would undo each other's work.
 */
function programCache(engineCache: string): string {
    return path.join(path.dirname(engineCache), "program");
}

function forward(
    child: ChildProcess,
    name: "stdout" | "stderr",
    show: (line: string) => void,
): void {
    const stream = child[name];
    if (stream !== null) createInterface({ input: stream }).on("line", show);
}
