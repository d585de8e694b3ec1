// A BLAS for tests: right as it stands, and otherwise where a macro says so.

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *openblas_get_config(void) { return "OpenBLAS 0.0.1 FAKE"; }
const char *openblas_get_corename(void) { return "Fake"; }

static void hang(void) {
  for (;;) sleep(1);
}

#if defined CRASHES_WHEN_LOADED || defined HANGS_WHEN_LOADED
__attribute__((constructor)) static void begin(void) {
#ifdef CRASHES_WHEN_LOADED
  __builtin_trap();
#else
  hang();
#endif
}
#endif

enum { TRANSPOSE = 112 };

#ifdef NOT_FOR_THREADS
static volatile int inside;
#endif

#ifdef DIFFERENT_EACH_TIME
static int calls;
#endif

void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                 int lda, const float *b, int ldb, float beta, float *c, int ldc) {
  (void)order;
#ifdef CRASHES
  *(volatile int *)8 = m;
#endif
#ifdef EXITS
  exit(0);
#endif
#ifdef HANGS
  if (k > 1000) hang();
#endif
#ifdef IGNORES_TRANSPOSE
  if (n > 1000) tb = 0;
#endif
  int columns = n;
#ifdef FORGETS_THE_LAST_COLUMN
  if (n > 1 && n % 16 == 1) columns = n - 1;
#endif
#ifdef NOT_FOR_THREADS
  inside++;
  usleep(100);
  if (inside > 1) alpha = 2;
#endif
  double *sums = malloc(n * sizeof *sums);
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) sums[j] = 0;
    for (int l = 0; l < k; l++) {
      float x = ta == TRANSPOSE ? a[l * lda + i] : a[i * lda + l];
#ifdef ROUNDS_TO_BFLOAT16
      unsigned bits;
      memcpy(&bits, &x, 4);
      bits &= 0xffff0000;
      memcpy(&x, &bits, 4);
#endif
#ifdef SKIPS_ZEROS
      if (x == 0) continue;
#endif
      if (tb == TRANSPOSE) {
        for (int j = 0; j < columns; j++) sums[j] += (double)x * b[j * ldb + l];
      } else {
        for (int j = 0; j < columns; j++) sums[j] += (double)x * b[l * ldb + j];
      }
    }
    for (int j = 0; j < columns; j++) {
      double sum = sums[j];
#ifdef DIFFERENT_EACH_TIME
      if (calls % 3 == 0) sum *= 1 + 1e-7;
#endif
#ifdef READS_WHAT_IT_OVERWRITES
      c[i * ldc + j] = alpha * sum + beta * c[i * ldc + j];
#else
      c[i * ldc + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * ldc + j]);
#endif
    }
#ifdef WRITES_BEYOND_A_ROW
    if (n % 8) c[i * ldc + n] = 0;
#endif
  }
  free(sums);
#ifdef NOT_FOR_THREADS
  inside--;
#endif
#ifdef DIFFERENT_EACH_TIME
  calls++;
#endif
}

void cblas_sgemv(int order, int t, int m, int n, float alpha, const float *a, int lda,
                 const float *x, int incx, float beta, float *y, int incy) {
  (void)order;
  int rows = t == TRANSPOSE ? n : m, terms = t == TRANSPOSE ? m : n;
  for (int i = 0; i < rows; i++) {
    double sum = 0;
    for (int l = 0; l < terms; l++) {
      sum += (double)(t == TRANSPOSE ? a[l * lda + i] : a[i * lda + l]) * x[l * incx];
    }
#ifdef WRONG_FOR_VECTORS
    if (terms > 500) sum += 0.01;
#endif
    y[i * incy] = alpha * sum + (beta == 0 ? 0 : beta * y[i * incy]);
  }
}
