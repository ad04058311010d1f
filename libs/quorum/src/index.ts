export {
  type GroupSeats,
  isFilled,
  openSeats,
  type OpenSeats,
  type QuorumRule,
  type Voter,
} from './open-seats.js';
