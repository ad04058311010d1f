/** How long tests wait for the answer of a service. The product waits 2 s; a machine that runs several test files can stand still longer. */
export const answersWithinMs = 10_000;
