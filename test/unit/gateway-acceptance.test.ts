import assert from "node:assert/strict";
import {
    awaitAccepted,
    previewAccepted,
    type AcceptanceContext,
    type AcceptanceSpec,
} from "../../components/gateway/hooks";
import { judgeRoute, type LiveRoute, type ParentStatus } from "../../components/gateway/status";
import { ClusterError, NoClusterError } from "../../components/gate/reader";

const ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/users";
const GATEWAY = "/apis/gateway.networking.k8s.io/v1/namespaces/infra/gateways/main";
const GROUP = "/apis/gateway.networking.k8s.io/v1";
const parent = { name: "main", namespace: "infra" };

interface Said {
    status?: string;
    reason?: string;
    message?: string;
    generation?: number;
}

/** What a controller says about the route at generation 3; both conditions are true by default. */
function claim(conditions: Record<string, Said> = {}, ref: object = parent): ParentStatus {
    const all = { Accepted: {}, ResolvedRefs: {}, ...conditions };
    return {
        parentRef: ref as ParentStatus["parentRef"],
        controllerName: "example.com/controller",
        conditions: Object.entries(all).map(([type, said]: [string, Said]) => ({
            type,
            status: said.status ?? "True",
            reason: said.reason ?? "",
            message: said.message ?? "",
            observedGeneration: "generation" in said ? said.generation : 3,
        })),
    };
}

function route(...parents: ParentStatus[]): LiveRoute {
    return { metadata: { name: "users", namespace: "shop", generation: 3 }, status: { parents } };
}

describe("gateway: whether the route is accepted", () => {
    const verdicts: [name: string, route: LiveRoute, because: string | undefined][] = [
        ["accepted", route(claim()), undefined],
        [
            "accepted, without generations",
            route(claim({ Accepted: { generation: undefined } })),
            undefined,
        ],
        [
            "accepted by one of two controllers",
            route(claim({ Accepted: { status: "False" } }), claim()),
            undefined,
        ],
        ["no status", { metadata: { name: "users" } }, "no controller accepted the route"],
        ["an empty status", route(), "no controller accepted the route"],
        [
            "accepted on another Gateway only",
            route(claim({}, { name: "other", namespace: "infra" })),
            "no controller accepted the route",
        ],
        [
            "accepted on a Gateway of that name in the route's own namespace only",
            route(claim({}, { name: "main" })),
            "no controller accepted the route",
        ],
        [
            "accepted on a listener that was not asked for",
            route(claim({}, { ...parent, sectionName: "http" })),
            "no controller accepted the route",
        ],
        [
            "refused",
            route(
                claim({
                    Accepted: {
                        status: "False",
                        reason: "NotAllowedByListeners",
                        message: "no listener lets shop in",
                    },
                }),
            ),
            "example.com/controller says Accepted=False (NotAllowedByListeners: no listener lets shop in)",
        ],
        [
            "a backend that cannot be reached",
            route(claim({ ResolvedRefs: { status: "False", reason: "RefNotPermitted" } })),
            "example.com/controller says ResolvedRefs=False (RefNotPermitted)",
        ],
        [
            "undecided",
            route(claim({ Accepted: { status: "Unknown", reason: "Pending" } })),
            "example.com/controller says Accepted=Unknown (Pending)",
        ],
        [
            "accepted before it was changed",
            route(claim({ Accepted: { generation: 2 } })),
            "example.com/controller has not looked at the changed route yet (Accepted is of generation 2, the route is at 3)",
        ],
        [
            "resolved before it was changed",
            route(claim({ ResolvedRefs: { generation: 2 } })),
            "example.com/controller has not looked at the changed route yet (ResolvedRefs is of generation 2, the route is at 3)",
        ],
        [
            "rules dropped",
            route(claim({ PartiallyInvalid: { reason: "UnsupportedValue", message: "rule 0" } })),
            "example.com/controller says PartiallyInvalid=True (UnsupportedValue: rule 0)",
        ],
        [
            "only half said",
            route({ ...claim(), conditions: claim().conditions?.slice(0, 1) }),
            "example.com/controller has not said ResolvedRefs yet",
        ],
    ];
    for (const [name, live, because] of verdicts) {
        it(`${because === undefined ? "yes" : "no"}: ${name}`, () => {
            const verdict = judgeRoute(live, parent);
            assert.equal(verdict.accepted ? undefined : verdict.because, because);
            if (verdict.accepted) assert.equal(verdict.controller, "example.com/controller");
        });
    }

    it("takes the route's namespace for that of a parent without one", () => {
        const own = { name: "main", namespace: "shop" };
        assert.equal(judgeRoute(route(claim({}, { name: "main" })), own).accepted, true);
    });
});

/** A cluster in memory whose clock only moves by waiting. */
class Fake {
    readonly objects: Record<string, unknown> = { [GROUP]: {}, [ROUTE]: route(), [GATEWAY]: {} };
    readonly said: string[] = [];
    closed = 0;
    private elapsed = 0;
    private readonly script: { afterSeconds: number; change: () => void }[] = [];
    failure: ((path: string) => Error | undefined) | undefined;

    after(afterSeconds: number, change: () => void): this {
        this.script.push({ afterSeconds, change });
        return this;
    }

    get elapsedSeconds(): number {
        return this.elapsed / 1000;
    }

    readonly context: AcceptanceContext = {
        connect: () =>
            Promise.resolve({
                getObject: <T>(path: string) => {
                    const failure = this.failure?.(path);
                    if (failure) return Promise.reject(failure);
                    return Promise.resolve(this.objects[path] as T | undefined);
                },
                close: () => void this.closed++,
            }),
        clock: {
            now: () => this.elapsed,
            sleep: (milliseconds) => {
                this.elapsed += milliseconds;
                for (const step of this.script.splice(0)) {
                    if (step.afterSeconds * 1000 <= this.elapsed) step.change();
                    else this.script.push(step);
                }
                return Promise.resolve();
            },
        },
        log: {
            info: (message, passing) => void (passing === true || this.said.push(message)),
            warn: (message) => void this.said.push(`warning: ${message}`),
        },
    };
}

const spec: AcceptanceSpec = { context: "dev", namespace: "shop", route: "users", parent };
const WRITTEN = "HTTPRoute shop/users is written, but";

describe("gateway: waiting for a controller", () => {
    let fake: Fake;
    beforeEach(() => (fake = new Fake()));

    const refuse = async (message: string, changes: Partial<AcceptanceSpec> = {}) => {
        await assert.rejects(awaitAccepted({ ...spec, ...changes }, fake.context), {
            name: "GateError",
            message,
        });
        assert.equal(fake.closed, 1, "the connection is closed");
    };

    it("ends as soon as it has accepted", async () => {
        fake.after(3, () => (fake.objects[ROUTE] = route(claim())));
        await awaitAccepted(spec, fake.context);
        assert.ok(fake.elapsedSeconds < 5, `${fake.elapsedSeconds} s`);
        assert.deepEqual(fake.said, ["example.com/controller accepted HTTPRoute shop/users"]);
        assert.equal(fake.closed, 1);
    });

    it("waits out a refusal: the controller may not have heard of a new Service yet", async () => {
        const early = { ResolvedRefs: { status: "False", reason: "BackendNotFound" } };
        fake.objects[ROUTE] = route(claim(early));
        fake.after(2, () => (fake.objects[ROUTE] = route(claim())));
        await awaitAccepted(spec, fake.context);
    });

    it("fails after 20 s, and says so when there is no Gateway", async () => {
        delete fake.objects[GATEWAY];
        await refuse(
            `${WRITTEN} after 20 s no controller accepted the route: Gateway infra/main does not exist`,
        );
        assert.equal(Math.round(fake.elapsedSeconds), 20);
    });

    it("fails by the deadline that is asked for", async () => {
        fake.objects[GATEWAY] = { spec: { gatewayClassName: "fast" } };
        await refuse(
            `${WRITTEN} after 3 s no controller accepted the route: no controller runs Gateway infra/main of class fast`,
            { deadlineSeconds: 3 },
        );
        assert.equal(Math.round(fake.elapsedSeconds), 3);
    });

    const gateways: [status: string, text: string][] = [
        ["Unknown", "no controller runs Gateway infra/main of class fast"],
        [
            "False",
            "of Gateway infra/main of class fast its controller says Accepted=False (Invalid: no listener)",
        ],
        ["True", "Gateway infra/main is accepted, but its controller says nothing about the route"],
    ];
    for (const [status, text] of gateways) {
        it(`names the Gateway's own state: Accepted is ${status}`, async () => {
            const accepted = {
                type: "Accepted",
                status,
                reason: "Invalid",
                message: "no listener",
            };
            fake.objects[GATEWAY] = {
                spec: { gatewayClassName: "fast" },
                status: { conditions: [accepted] },
            };
            await refuse(`${WRITTEN} after 20 s no controller accepted the route: ${text}`);
        });
    }

    it("does without the Gateway's state where it may not be read", async () => {
        fake.failure = (path) =>
            path === GATEWAY ? new ClusterError("gateways is forbidden", 403) : undefined;
        await refuse(`${WRITTEN} after 20 s no controller accepted the route`);
    });

    it("fails with the condition's reason and message", async () => {
        const refs = { status: "False", reason: "RefNotPermitted", message: "no grant" };
        fake.objects[ROUTE] = route(claim({ ResolvedRefs: refs }));
        await refuse(
            `${WRITTEN} after 20 s example.com/controller says ResolvedRefs=False (RefNotPermitted: no grant)`,
        );
    });

    it("fails at once when the route is gone, or may not be read", async () => {
        delete fake.objects[ROUTE];
        await refuse("HTTPRoute shop/users was written, and is gone");
        fake.closed = 0;
        fake.failure = () => new ClusterError("httproutes is forbidden", 403);
        await refuse(`${WRITTEN} it cannot be checked: httproutes is forbidden`);
        assert.equal(fake.elapsedSeconds, 0);
    });

    it("asks again when the API server did not answer", async () => {
        fake.objects[ROUTE] = route(claim());
        fake.failure = () => new ClusterError("no answer", undefined);
        fake.after(2, () => (fake.failure = undefined));
        await awaitAccepted(spec, fake.context);
        assert.ok(fake.elapsedSeconds >= 2);
    });
});

describe("gateway: preview", () => {
    const warnings = async (change: (fake: Fake) => void): Promise<string[]> => {
        const fake = new Fake();
        change(fake);
        await previewAccepted(spec, fake.context);
        assert.equal(fake.elapsedSeconds, 0, "a preview does not wait");
        return fake.said;
    };

    it("says nothing when CRDs and Gateway are there", async () => {
        assert.deepEqual(await warnings(() => undefined), []);
    });

    it("warns of missing CRDs, and of a missing Gateway", async () => {
        assert.deepEqual(await warnings((fake) => delete fake.objects[GROUP]), [
            "warning: the cluster does not know gateway.networking.k8s.io/v1: the Gateway API's CRDs must be there before this update",
        ]);
        assert.deepEqual(await warnings((fake) => delete fake.objects[GATEWAY]), [
            "warning: Gateway infra/main does not exist; without it no controller accepts the route",
        ]);
    });

    it("does not fail where the cluster cannot be reached", async () => {
        const fake = new Fake();
        const context = {
            ...fake.context,
            connect: () => Promise.reject(new NoClusterError("there is no kubeconfig")),
        };
        await previewAccepted(spec, context);
        assert.deepEqual(fake.said, [
            "warning: Gateway infra/main cannot be checked in this preview: there is no kubeconfig",
        ]);
    });
});
