import { z } from "zod";

/** Stack config key `gateway`: the Gateway that the HTTPRoute belongs to. */
export const gateway = z.strictObject({
    parent: z.strictObject({
        name: z.string(),
        namespace: z.string().optional(),
        sectionName: z.string().optional(),
    }),
    hostnames: z.array(z.string()).optional(),
});
