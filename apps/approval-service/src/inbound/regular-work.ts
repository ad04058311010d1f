export { RegularWork } from '@agentlattice/service';
