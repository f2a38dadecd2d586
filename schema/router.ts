import { z } from "zod";
import { resources } from "./common";

const clientAddress = z.strictObject({
    trustedHeader: z.string().optional(),
    trustedProxies: z.array(z.string()).optional(),
});

/** Stack config key `router`: the nginx router. */
export const router = z.strictObject({
    name: z.string().optional(),
    image: z.string().optional(),
    replicas: z.number().optional(),
    sticky: z
        .strictObject({
            header: z.string().optional(),
            cookie: z.string().optional(),
            cookieMaxAgeSeconds: z.number().optional(),
            clientAddress: clientAddress.optional(),
            seed: z.string().optional(),
        })
        .optional(),
    previewHeader: z.string().optional(),
    maxBodySize: z.string().optional(),
    timeouts: z
        .strictObject({
            connectSeconds: z.number().optional(),
            readSeconds: z.number().optional(),
            clientSeconds: z.number().optional(),
            idleSeconds: z.number().optional(),
        })
        .optional(),
    maxConnectionAgeSeconds: z.number().optional(),
    drainSeconds: z.number().optional(),
    externalTrafficPolicy: z.string().optional(),
    resources: resources.optional(),
});
