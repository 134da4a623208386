#include "postgres.h"
extern int x;
