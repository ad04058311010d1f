export {
  type GateToolsOptions,
  type ToolCall,
  ToolCallRefused,
  ToolGate,
  type WaitingCall,
} from './tool-gate.js';
