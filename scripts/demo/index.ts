import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import * as sandbox from "../../sandbox";
import { API_IMAGES, loadImages } from "../../sandbox/images";
import { type Engine, resolveEngine } from "../engine";
import { CliError, ExitCode } from "../errors";
import { type Progress, silentProgress } from "../progress";
import { renderChart, renderPage } from "../report";
import { complaintsOf } from "./checks";
import { Cleanup, onInterrupt } from "./cleanup";
import { connect, deleteNamespace, type NamedCluster } from "./cluster";
import { explainKept } from "./keep";
import { makeNamespace } from "./namespace";
import { type DemoOptions, SANDBOX_RELEASES } from "./options";
import { type DemoResult, type Recording, toResult } from "./recording";
import { toReport } from "./report";
import { createScratch, type Scratch } from "./scratch";
import { type DemoStack, openStack } from "./stack";
import { play } from "./story";
import { renderResult } from "./terminal";

const ROOT = path.join(__dirname, "..", "..");
const STACK = "dev";
/** Of stack `dev`, whose config does not name another. */
const NAMESPACE = "endpoint-stats";

/**
 * The whole demo, from a bare machine to the report, and everything cleaned up again, also after
 * Ctrl-C. Returns the exit code: 1 when a request failed or a phase did not do what it says.
 *
 * @throws CliError when it cannot even start, or was interrupted
 */
export async function runDemo(options: DemoOptions, progress: Progress): Promise<ExitCode> {
    const print = options.json ? console.error : console.log;
    const interrupt = onInterrupt(() => print("cleaning up; this ends by itself"));
    const cleanup = new Cleanup();
    try {
        const { recording, keep } = await perform(options, {
            progress,
            cleanup,
            signal: interrupt.signal,
            print,
        });
        const result = toResult(recording, complaintsOf(recording));
        await writeResult(options.out, recording, result);
        const clean = options.keep || (await tidy(cleanup, progress, print));
        console.log(options.json ? JSON.stringify(result, undefined, 2) : renderResult(result));
        print(
            `written: ${["json", "html", "svg"].map((e) => path.join(options.out, `demo.${e}`)).join(", ")}`,
        );
        if (options.keep) print(`\n${await keep()}`);
        return result.passed && clean ? ExitCode.done : ExitCode.failed;
    } catch (error) {
        await tidy(cleanup, progress, print);
        // Whatever broke because of it: the reason is the signal.
        throw interrupt.signal.aborted ? interrupt.signal.reason : error;
    } finally {
        interrupt.dispose();
    }
}

interface Tools {
    progress: Progress;
    cleanup: Cleanup;
    signal: AbortSignal;
    print: (text: string) => void;
}

interface Performance {
    recording: Recording;
    /** Makes the kept state usable, and says how. */
    keep: () => Promise<string>;
}

async function perform(options: DemoOptions, tools: Tools): Promise<Performance> {
    const { cleanup, signal } = tools;
    const engine = await resolveEngine();
    const { cluster, started } = await provideCluster(options, tools);
    await makeNamespace(cluster, NAMESPACE);
    // The sandbox takes everything with it; a cluster that stays is left as it was found.
    if (!started) {
        cleanup.add(`delete namespace ${NAMESPACE}`, () => deleteNamespace(cluster, NAMESPACE));
    }
    const scratch = await createScratch(ROOT, cluster.kubeconfig);
    cleanup.add("remove the scratch folder", () => scratch.remove());
    const stack = await openStack(scratch, STACK, engine.command, signal);
    if (!started) cleanup.add("destroy the stack", () => stack.destroy());
    await stack.configure(firstConfig(options));

    const recording: Recording = {
        engine: { kind: engine.kind, version: engine.version },
        kubernetes: cluster.version,
        rate: options.rate,
        releases: releaseNames(options),
        phases: [],
        samples: [],
    };
    try {
        await play(
            {
                ...tools,
                cluster,
                stack,
                namespace: NAMESPACE,
                url: options.own?.url,
                allowAnyHost: options.own !== undefined,
                greenConfig: greenConfig(options),
            },
            recording,
        );
    } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof CliError)) throw error;
        recording.error = error.message;
    }
    return { recording, keep: () => keep(stack, scratch, engine, started) };
}

/** The user's own cluster, or the sandbox: taken down at the end if it was not running before. */
async function provideCluster(
    options: DemoOptions,
    { progress, cleanup, signal }: Tools,
): Promise<{ cluster: NamedCluster; started: boolean }> {
    if (options.own) return { cluster: await connect(options.own.context), started: false };
    const started = !(await sandbox.status()).running;
    if (started) cleanup.add("take the sandbox down", () => sandbox.down(silentProgress));
    const info = await sandbox.up(progress, { signal });
    await loadImages(info, progress, { signal });
    return { cluster: await connect(info.context, info.kubeconfig), started };
}

function releaseNames({ own }: DemoOptions): { blue: string; green: string } {
    return own ? { blue: own.blue.release, green: own.green.release } : SANDBOX_RELEASES;
}

/** What the first `up` needs beyond `Pulumi.dev.yaml`. */
function firstConfig({ own }: DemoOptions): Record<string, string> {
    if (!own) return {};
    return {
        "kubernetes:context": own.context,
        [`cutover:releases["${own.blue.release}"].image`]: own.blue.image,
        "cutover:blue": own.blue.release,
    };
}

function greenConfig(options: DemoOptions): Record<string, string> {
    const { release, image } = options.own?.green ?? {
        release: SANDBOX_RELEASES.green,
        image: API_IMAGES["2.0.0"],
    };
    return { [`cutover:releases["${release}"].image`]: image, "cutover:green": release };
}

async function writeResult(
    folder: string,
    recording: Recording,
    result: DemoResult,
): Promise<void> {
    await mkdir(folder, { recursive: true });
    const report = toReport(recording, result);
    const write = (extension: string, text: string) =>
        writeFile(path.join(folder, `demo.${extension}`), text);
    await write("json", JSON.stringify(result, undefined, 2) + "\n");
    await write("html", renderPage(report));
    await write("svg", renderChart(report));
}

/** Returns whether all is as it was found. */
async function tidy(cleanup: Cleanup, progress: Progress, print: Tools["print"]): Promise<boolean> {
    if (cleanup.empty) return true;
    const failures = await progress.step("clean up", (say) => cleanup.run(say));
    for (const failure of failures) print(`could not ${failure}`);
    return failures.length === 0;
}

async function keep(
    stack: DemoStack,
    scratch: Scratch,
    engine: Engine,
    sandboxStarted: boolean,
): Promise<string> {
    return explainKept({
        scratch,
        root: ROOT,
        binDir: engine.kind === "stand-in" ? engine.binDir : undefined,
        stack: STACK,
        url: (await stack.outputs()).url?.value as string | undefined,
        sandboxStarted,
        namespace: NAMESPACE,
    });
}
