import {
    AppsV1Api,
    CoreV1Api,
    Exec,
    KubeConfig,
    type V1Pod,
    type V1PodSpec,
    type V1Status,
} from "@kubernetes/client-node";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

export interface Result {
    code: number;
    stdout: string;
    stderr: string;
}

/** The namespace of one test, and what the test asks the cluster about it. */
export class TestNamespace {
    readonly core: CoreV1Api;
    readonly apps: AppsV1Api;
    private readonly config = new KubeConfig();

    constructor(
        kubeconfig: string,
        context: string,
        readonly name: string,
    ) {
        this.config.loadFromFile(kubeconfig);
        this.config.setCurrentContext(context);
        this.core = this.config.makeApiClient(CoreV1Api);
        this.apps = this.config.makeApiClient(AppsV1Api);
    }

    pod(name: string): Promise<V1Pod> {
        return this.core.readNamespacedPod({ name, namespace: this.name });
    }

    /** Undefined when the pod is gone. */
    async podOrNone(name: string): Promise<V1Pod | undefined> {
        const pods = await this.core.listNamespacedPod({ namespace: this.name });
        return pods.items.find(({ metadata }) => metadata?.name === name);
    }

    async untilReady(name: string, not?: string, seconds = 120): Promise<V1Pod> {
        let last: V1Pod | undefined;
        await eventually(`pod ${name} is ready`, seconds, async () => {
            last = await this.podOrNone(name);
            const ready = last?.status?.conditions?.some(
                ({ type, status }) => type === "Ready" && status === "True",
            );
            return last?.metadata?.uid !== not && ready === true
                ? undefined
                : JSON.stringify(last?.status);
        });
        return last as V1Pod;
    }

    async logs(name: string): Promise<string> {
        return this.core.readNamespacedPodLog({ name, namespace: this.name });
    }

    /** A value of a Secret. */
    async secret(name: string, key: string): Promise<string> {
        const { data } = await this.core.readNamespacedSecret({ name, namespace: this.name });
        return Buffer.from(data?.[key] ?? "", "base64").toString();
    }

    /** Runs a command in a pod's only container, with `input` as its standard input. */
    async exec(pod: string, command: string[], input?: string): Promise<Result> {
        const [stdout, stderr] = [new PassThrough(), new PassThrough()];
        const output = { stdout: "", stderr: "" };
        stdout.on("data", (data: Buffer) => (output.stdout += data.toString()));
        stderr.on("data", (data: Buffer) => (output.stderr += data.toString()));
        const container = (await this.pod(pod)).spec?.containers[0]?.name ?? "";
        const status = await new Promise<V1Status>((resolve, reject) => {
            const stdin = input === undefined ? null : Readable.from([Buffer.from(input)]);
            new Exec(this.config)
                .exec(this.name, pod, container, command, stdout, stderr, stdin, false, resolve)
                .then((socket) => {
                    socket.on("error", reject);
                    socket.on("close", () =>
                        reject(new Error(`${command[0]} lost its connection`)),
                    );
                }, reject);
        });
        return { ...output, code: exitCode(status) };
    }

    /** A pod that does nothing, to connect from. */
    async startClient(name: string, image: string): Promise<void> {
        const spec: V1PodSpec = {
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: 0,
            securityContext: {
                runAsNonRoot: true,
                runAsUser: 10001,
                seccompProfile: { type: "RuntimeDefault" },
            },
            containers: [
                {
                    name,
                    image,
                    command: ["sleep", "3600"],
                    resources: {
                        requests: { cpu: "10m", memory: "16Mi" },
                        limits: { cpu: "500m", memory: "64Mi" },
                    },
                    securityContext: {
                        allowPrivilegeEscalation: false,
                        readOnlyRootFilesystem: true,
                        capabilities: { drop: ["ALL"] },
                    },
                },
            ],
        };
        await this.core.createNamespacedPod({
            namespace: this.name,
            body: { metadata: { name }, spec },
        });
        await this.untilReady(name);
    }

    /** Deletes the namespace with all that is in it, and waits until its volumes are gone too. */
    async remove(): Promise<void> {
        const namespaces = await this.core.listNamespace();
        if (!namespaces.items.some(({ metadata }) => metadata?.name === this.name)) return;
        await this.core.deleteNamespace({ name: this.name });
        await eventually(`namespace ${this.name} and its volumes are gone`, 120, async () => {
            const [spaces, volumes] = await Promise.all([
                this.core.listNamespace(),
                this.core.listPersistentVolume(),
            ]);
            const left = [
                ...spaces.items.filter(({ metadata }) => metadata?.name === this.name),
                ...volumes.items.filter(({ spec }) => spec?.claimRef?.namespace === this.name),
            ];
            return left.length === 0 ? undefined : left.map((l) => l.metadata?.name).join(", ");
        });
    }
}

/** The status of an exec says "Success", or has the exit code among the causes of its failure. */
function exitCode(status: V1Status): number {
    if (status.status === "Success") return 0;
    const cause = status.details?.causes?.find(({ reason }) => reason === "ExitCode");
    if (cause?.message === undefined) throw new Error(status.message ?? JSON.stringify(status));
    return Number(cause.message);
}

/** Waits until `problem` finds none; then the last one found is the error. */
export async function eventually(
    what: string,
    seconds: number,
    problem: () => Promise<string | undefined>,
): Promise<void> {
    const end = Date.now() + seconds * 1_000;
    for (;;) {
        const found = await problem();
        if (found === undefined) return;
        if (Date.now() > end)
            throw new Error(`not within ${seconds} s: ${what}; last seen: ${found}`);
        await sleep(250);
    }
}
