import type { V1Pod } from "@kubernetes/client-node";

/** A change of an admitted pod that Pod Security `restricted` refuses, and the words it does so with. */
export type BrokenPod = [says: string, change: (pod: V1Pod) => void];

const spec = (pod: V1Pod) => pod.spec ?? { containers: [] };
const container = (pod: V1Pod) => spec(pod).containers[0] ?? { name: "" };
const secure = (pod: V1Pod) => (container(pod).securityContext ??= {});
const securePod = (pod: V1Pod) => (spec(pod).securityContext ??= {});
const host = "192.0.2.1";

/** The container once more as it starts before the others, which have no probes. */
function initContainer(pod: V1Pod): void {
    const {
        name: _,
        livenessProbe,
        readinessProbe,
        startupProbe,
        lifecycle,
        ...rest
    } = container(pod);
    const probes = [livenessProbe, readinessProbe, startupProbe, lifecycle];
    if (probes.includes(undefined)) throw new Error("a pod of ours has all of them");
    spec(pod).initContainers = [{ ...rest, name: "init", securityContext: { runAsUser: 0 } }];
}

/** Every check of the standard, and every field that it looks at. */
export const BROKEN_PODS: BrokenPod[] = [
    ["hostNetwork=true", (pod) => (spec(pod).hostNetwork = true)],
    ["hostPID=true", (pod) => (spec(pod).hostPID = true)],
    ["hostIPC=true", (pod) => (spec(pod).hostIPC = true)],
    [
        `privileged (container "flask-api"`,
        (pod) => {
            secure(pod).privileged = true;
            // Otherwise Kubernetes finds a contradiction before the standard looks.
            delete secure(pod).allowPrivilegeEscalation;
        },
    ],
    [
        `must set securityContext.capabilities.drop=["ALL"]`,
        (pod) => delete secure(pod).capabilities,
    ],
    [
        `must set securityContext.capabilities.drop=["ALL"]`,
        (pod) => (secure(pod).capabilities = { drop: ["NET_RAW"] }),
    ],
    [
        `must not include "SYS_ADMIN" in securityContext.capabilities.add`,
        (pod) => (secure(pod).capabilities = { drop: ["ALL"], add: ["SYS_ADMIN"] }),
    ],
    [
        `restricted volume type "hostPath"`,
        (pod) => spec(pod).volumes?.push({ name: "broken", hostPath: { path: "/" } }),
    ],
    [
        `restricted volume type "nfs"`,
        (pod) => spec(pod).volumes?.push({ name: "broken", nfs: { server: host, path: "/" } }),
    ],
    [
        `uses hostPort 9999`,
        (pod) => (container(pod).ports = [{ containerPort: 9999, hostPort: 9999 }]),
    ],
    ...(["livenessProbe", "readinessProbe", "startupProbe"] as const).map((probe): BrokenPod => [
        `uses probe or lifecycle host "${host}"`,
        (pod) => (container(pod)[probe] = { httpGet: { host, port: 80 } }),
    ]),
    ...(["postStart", "preStop"] as const).map((hook): BrokenPod => [
        `uses probe or lifecycle host "${host}"`,
        (pod) => (container(pod).lifecycle = { [hook]: { tcpSocket: { host, port: 80 } } }),
    ]),
    [
        `container "flask-api" must not set AppArmor profile type to "Unconfined"`,
        (pod) => (secure(pod).appArmorProfile = { type: "Unconfined" }),
    ],
    [
        `pod must not set AppArmor profile type to "Unconfined"`,
        (pod) => (securePod(pod).appArmorProfile = { type: "Unconfined" }),
    ],
    [`type "unconfined_t"`, (pod) => (secure(pod).seLinuxOptions = { type: "unconfined_t" })],
    ["user may not be set", (pod) => (secure(pod).seLinuxOptions = { user: "root" })],
    ["role may not be set", (pod) => (securePod(pod).seLinuxOptions = { role: "sysadm_r" })],
    [
        `must not set securityContext.procMount to "Unmasked"`,
        (pod) => {
            secure(pod).procMount = "Unmasked";
            // Kubernetes itself wants this with it.
            spec(pod).hostUsers = false;
        },
    ],
    [
        `must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
        (pod) => delete securePod(pod).seccompProfile,
    ],
    [
        `must not set securityContext.seccompProfile.type to "Unconfined"`,
        (pod) => (secure(pod).seccompProfile = { type: "Unconfined" }),
    ],
    [
        "forbidden sysctls (kernel.msgmax)",
        (pod) => (securePod(pod).sysctls = [{ name: "kernel.msgmax", value: "1" }]),
    ],
    [
        "must set securityContext.allowPrivilegeEscalation=false",
        (pod) => (secure(pod).allowPrivilegeEscalation = true),
    ],
    [
        "must set securityContext.allowPrivilegeEscalation=false",
        (pod) => delete secure(pod).allowPrivilegeEscalation,
    ],
    ["must set securityContext.runAsNonRoot=true", (pod) => delete securePod(pod).runAsNonRoot],
    [
        "must not set securityContext.runAsNonRoot=false",
        (pod) => (secure(pod).runAsNonRoot = false),
    ],
    ["pod must not set runAsUser=0", (pod) => (securePod(pod).runAsUser = 0)],
    [`container "flask-api" must not set runAsUser=0`, (pod) => (secure(pod).runAsUser = 0)],
    [
        "hostProcess",
        (pod) => {
            secure(pod).windowsOptions = { hostProcess: true };
            // Kubernetes itself wants this with it.
            spec(pod).hostNetwork = true;
        },
    ],
    [`container "init" must not set runAsUser=0`, initContainer],
];
