import type { Backend, RouterSettings } from "../../../components/router";

/** A canary pair whose canary has a share of `weight` percent. */
export function sides(weight: number): Backend[] {
    const rest = Math.round((100 - weight) * 10) / 10;
    const host = (side: string) => `user-service-${side}.shop.svc`;
    return [
        {
            side: "stable",
            host: host("stable"),
            port: 80,
            weight: rest,
            main: true,
            release: "1.0.0",
        },
        { side: "canary", host: host("canary"), port: 80, weight, main: false, release: "1.1.0" },
    ];
}

/** The documents' load balancer: two colors in a namespace each. */
export function colors(active: "blue" | "green", weight: number): Backend[] {
    const rest = Math.round((100 - weight) * 10) / 10;
    return (["blue", "green"] as const).map((side) => ({
        side,
        host: `user-service-${side}.ecommerce-${side}.svc.cluster.local`,
        port: 80,
        weight: side === active ? rest : weight,
        main: side === active,
        release: side === "blue" ? "blue-v1.0.0" : "green-v1.1.0",
    }));
}

/** Configs that are compared whole with the file of their name. */
export const rendered: Record<string, { backends: Backend[]; settings?: RouterSettings }> = {
    "blue-has-all": { backends: colors("blue", 0) },
    "canary-has-a-tenth": { backends: sides(10) },
    "everything-set": {
        backends: sides(33.3),
        settings: {
            sticky: { cookie: "visitor", cookieMaxAgeSeconds: 86_400, seed: "shop." },
            previewHeader: "X-Preview",
            maxBodySize: "10m",
            timeouts: { connectSeconds: 1, readSeconds: 30, clientSeconds: 5, idleSeconds: 20 },
            maxConnectionAgeSeconds: 60,
        },
    },
    "behind-proxies": {
        backends: sides(50),
        settings: {
            sticky: {
                clientAddress: {
                    trustedHeader: "X-Forwarded-For",
                    trustedProxies: ["10.0.0.0/8", "fd00::/8"],
                },
            },
        },
    },
};

/** Settings whose every config nginx itself must take. */
export const accepted: Record<string, RouterSettings> = {
    defaults: {},
    "a header": { sticky: { header: "X-User-Id" } },
    "a cookie": { sticky: { cookie: "session" } },
    "a cookie of its own": {
        sticky: { cookie: "visitor", cookieMaxAgeSeconds: 60, seed: "a-1._" },
    },
    "the client's address": { sticky: { clientAddress: {} } },
    "a proxy's header": rendered["behind-proxies"]?.settings ?? {},
    "a preview": { previewHeader: "X-Preview" },
    "both headers, long ones": {
        sticky: { header: `X-${"a".repeat(61)}` },
        previewHeader: `X-${"b".repeat(61)}`,
    },
    "all at once": rendered["everything-set"]?.settings ?? {},
};
