import { z } from "zod";

/** Stack config key `gateway`: the Gateway that the HTTPRoute belongs to, and how requests are routed. */
export const gateway = z.strictObject({
    parent: z.strictObject({
        name: z.string(),
        namespace: z.string().optional(),
        sectionName: z.string().optional(),
    }),
    hostnames: z.array(z.string()).optional(),
    requestTimeoutSeconds: z.number().optional(),
    backendTimeoutSeconds: z.number().optional(),
    previewHeader: z.string().optional(),
    acceptDeadlineSeconds: z.number().optional(),
});
