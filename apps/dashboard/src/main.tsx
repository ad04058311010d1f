import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiRefusal } from './api/client.js';
import { readAhead } from './pages/approvals/read-ahead.js';
import { router } from './router.js';
import './styles/index.css';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // Live events say when something is stale; a refusal does not become an answer by asking again.
      staleTime: 30_000,
      refetchOnWindowFocus: true,
      retry: (count, error) => count < 3 && !(error instanceof ApiRefusal && error.status < 500),
    },
    mutations: { retry: false },
  },
});

readAhead(queries, window.location);

const place = document.getElementById('app');
if (place === null) throw new Error('index.html has no element with the id app');
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
